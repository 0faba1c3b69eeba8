BEGIN TRANSACTION;
CREATE TABLE epochs (
    trial_id INTEGER NOT NULL REFERENCES trials (trial_id),
    epoch INTEGER NOT NULL,                 -- from 1
    learning_rate REAL NOT NULL,
    train_loss REAL NOT NULL,
    validation_loss REAL,                   -- NULL in the confirm phase, which trains on those images
    validation_error REAL,
    seconds REAL NOT NULL,
    recorded_at REAL NOT NULL,
    PRIMARY KEY (trial_id, epoch),
    CHECK ((validation_loss IS NULL) = (validation_error IS NULL))
);
INSERT INTO "epochs" VALUES(0,1,0.1,2.0,2.5,90.0,0.25,1.79608202399173450466e+09);
INSERT INTO "epochs" VALUES(0,2,0.1,1.0,1.25,12.5,0.25,1.79608202399277186393e+09);
INSERT INTO "epochs" VALUES(1,1,0.1,2.0,2.5,90.0,0.25,1.796082023996916771e+09);
INSERT INTO "epochs" VALUES(1,2,0.1,1.0,1.25,9.0,0.25,1.79608202399971199035e+09);
INSERT INTO "epochs" VALUES(3,1,0.1,2.0,2.5,80.0,0.25,1.79608202401114392275e+09);
INSERT INTO "epochs" VALUES(4,1,0.1,2.0,2.5,70.0,0.25,1.79608202401839637759e+09);
INSERT INTO "epochs" VALUES(6,1,0.1,2.0,2.5,90.0,0.25,1.79608202402774047847e+09);
INSERT INTO "epochs" VALUES(6,2,0.1,1.0,1.25,20.0,0.25,1796082024.02891);
INSERT INTO "epochs" VALUES(7,1,0.1,2.0,NULL,NULL,0.25,1.796082024033778429e+09);
INSERT INTO "epochs" VALUES(7,2,0.1,1.0,NULL,NULL,0.25,1.79608202403572821612e+09);
INSERT INTO "epochs" VALUES(8,1,0.1,2.0,2.5,88.0,0.25,1.79608202404086017608e+09);
INSERT INTO "epochs" VALUES(9,1,0.1,2.0,2.5,89.0,0.25,1.79608202404700946809e+09);
INSERT INTO "epochs" VALUES(9,2,0.1,1.0,1.25,30.0,0.25,1.79608202404963207239e+09);
CREATE TABLE failures (                     -- of trials that were then tried again from the start
    trial_id INTEGER NOT NULL REFERENCES trials (trial_id),
    attempt INTEGER NOT NULL,               -- as trials.attempts had it
    failure_class TEXT NOT NULL,
    failure_message TEXT NOT NULL,
    epochs INTEGER NOT NULL,                -- that were trained for nothing
    seconds REAL NOT NULL,                  -- of these epochs
    failed_at REAL NOT NULL,
    PRIMARY KEY (trial_id, attempt)
);
CREATE TABLE latencies (
    architecture TEXT NOT NULL,             -- JSON of a configuration without knobs
    device TEXT NOT NULL,                   -- model of the GPU or processor; in schemas before 9: cpu | cuda
    host TEXT NOT NULL,
    latency_ms REAL NOT NULL CHECK (latency_ms > 0),
    latency_ms_spread REAL NOT NULL,
    measured_at REAL NOT NULL,
    PRIMARY KEY (architecture, device)
);
INSERT INTO "latencies" VALUES('{"cardinality": 1, "group_widths": [6, 13], "blocks": [1, 1], "knobs": {}}','cpu','here',1.5,0.25,1.79608202405180644991e+09);
INSERT INTO "latencies" VALUES('{"cardinality": 2, "group_widths": [4, 8], "blocks": [1, 1], "knobs": {}}','AMD EPYC (family 25)','here',2.5,0.5,1.79608202405318236353e+09);
CREATE TABLE looks (                        -- at the runs that confirm, each before more of them were queued
    seeds INTEGER PRIMARY KEY,              -- that every arm had
    word TEXT NOT NULL,                     -- what the runs said: the verdict
    planned INTEGER NOT NULL,               -- 1: it stood in the plan
    judged_at REAL NOT NULL
);
INSERT INTO "looks" VALUES(5,'inconclusive',1,1.7960820240607271195e+09);
CREATE TABLE machines (                     -- what hosts are that trained, whatever they are called
    machine TEXT PRIMARY KEY,               -- digits made of all that follows
    processor TEXT NOT NULL,
    cores INTEGER NOT NULL,
    memory_gib REAL NOT NULL,
    gpu TEXT,                               -- that trained; NULL where the processor did
    driver TEXT,
    system TEXT NOT NULL,
    versions TEXT NOT NULL                  -- JSON, by name
);
INSERT INTO "machines" VALUES('20a918c497fdeff2','AMD EPYC (family 25)',2,7.8,NULL,NULL,'Debian 12','{"python": "3.11.7", "torch": "2.14.1"}');
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "meta" VALUES('schema_version','9');
INSERT INTO "meta" VALUES('study','{"name":"tiny","data":{"name":"digits","root":"data","train_images":256,"validation_images":200,"resolution":null,"classes":null,"unreadable":"refuse","view":"middle","memory":1000000000},"template":{"stem":"cifar","stride":2,"planes":4,"stages":2,"shortcut":"projection","width_rule":"matched"},"budget":{"like":{"cardinality":2,"width":4,"blocks":[1,1]},"multiply_adds":null,"tolerance":0.05},"axes":{"cardinality":[1,2,4],"width":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16],"blocks":{"listed":null,"min":1,"max":2,"uniform":false},"learning_rate":{"listed":null,"min":0.01,"max":1.0,"scale":"log"},"batch_size":null,"weight_decay":null,"momentum":null,"label_smoothing":null},"objectives":["validation_error","latency_ms"],"trainer":{"recipe":null,"epochs":2,"batch_size":64,"learning_rate":0.1,"momentum":0.9,"weight_decay":0.0005,"decay_norms":false,"label_smoothing":0.0,"schedule":"cosine","warmup_epochs":0.2,"augment":"standard","plugin":null},"search":{"trials":4,"parallel":"auto","optimizer":"ax","early_stopping":"asha","audit":0.1},"claim":{"kind":"spend","base":{"cardinality":1,"width":4,"blocks":[1,1]},"spaces":null,"cardinality":null,"multiples":null,"tolerance":0.02,"tuning_seeds":2,"tuning_trials":3,"seeds":5,"looks":null,"margin":5.0,"finalists":1},"resources":{"cpu":1,"gpu":"auto","cluster":null},"limits":{"time":null,"training_flops":null,"trial_time":null},"trackers":[],"seed":0,"rules":2}');
INSERT INTO "meta" VALUES('forecast','{"workers": 2, "seconds": {"median": 45.0, "dearest": 60.0, "cheapest": 30.0}, "phases": {"search": {"trials": 4, "seconds": {"median": 90.0, "dearest": 120.0, "cheapest": 60.0}}}, "device": "cpu", "elsewhere": false, "machine": {"processor": "AMD EPYC (family 25)", "cores": 2, "memory_gib": 7.8, "gpu": null, "driver": null, "system": "Debian 12", "versions": {"python": "3.11.7", "torch": "2.14.1"}}}');
CREATE TABLE trials (
    trial_id INTEGER PRIMARY KEY,           -- from 0, in the order of the proposals
    phase TEXT NOT NULL,                    -- search | tune | confirm
    arm TEXT,                               -- of the claim, or a finalist of the search; NULL in the search
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'completed', 'stopped', 'failed', 'interrupted')),
    configuration TEXT NOT NULL,            -- JSON of the architecture and the knobs
    seed INTEGER NOT NULL,
    proposed_by TEXT NOT NULL,              -- sobol | ax in the search | plan in tune and confirm
    device TEXT,                            -- cpu | cuda
    host TEXT,
    machine TEXT REFERENCES machines (machine), -- NULL before it reports, and in schemas before 8
    queued_at REAL NOT NULL,                -- seconds since 1970
    started_at REAL,
    ended_at REAL,
    attempts INTEGER NOT NULL DEFAULT 0,    -- how often it was started
    alone INTEGER NOT NULL DEFAULT 0,       -- 1: its share of a GPU had too little memory, so it gets one alone
    micro_batches INTEGER NOT NULL DEFAULT 1, -- parts of a batch, where even a whole GPU had too little
    validation_error REAL,                  -- percent, at the last epoch; never in the confirm phase
    test_error REAL,                        -- percent, at the last epoch; only ever in the confirm phase
    test_correct TEXT,                      -- which test images were recognised: spaces/correctness.py
    stop_epoch INTEGER,                     -- after which it was stopped early, or would have been but for the audit
    checkpoint TEXT,                        -- relative to the study folder
    failure_class TEXT,
    failure_message TEXT,                   -- the tail of the error
    CHECK (state <> 'completed' OR (validation_error IS NULL) <> (test_error IS NULL)),
    CHECK (state <> 'stopped' OR (stop_epoch IS NOT NULL AND validation_error IS NULL))
);
INSERT INTO "trials" VALUES(0,'search',NULL,'completed','{"cardinality": 1, "group_widths": [6, 13], "blocks": [1, 1], "knobs": {"learning_rate": 0.1}}',7,'sobol','cpu','here',NULL,1.79608202398343300815e+09,1.7960820239908046722e+09,1.79608202399278378482e+09,1,0,1,12.5,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(1,'search',NULL,'completed','{"cardinality": 2, "group_widths": [4, 8], "blocks": [1, 1], "knobs": {"learning_rate": 0.2}}',7,'sobol','cpu','here','20a918c497fdeff2',1796082023.99324,1.79608202399407863619e+09,1.7960820239997248649e+09,1,0,1,9.0,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(2,'search',NULL,'failed','{"cardinality": 1, "group_widths": [4, 8], "blocks": [2, 2], "knobs": {"learning_rate": 1.0}}',7,'sobol',NULL,NULL,NULL,1.79608202400318360328e+09,1.79608202400365924832e+09,1.79608202400605201725e+09,1,0,1,NULL,NULL,NULL,NULL,NULL,'TrainingDiverged','Traceback ...
the loss is nan
');
INSERT INTO "trials" VALUES(3,'search',NULL,'interrupted','{"cardinality": 4, "group_widths": [2, 3], "blocks": [2, 1], "knobs": {"learning_rate": 0.01}}',7,'sobol',NULL,NULL,NULL,1.79608202400758433341e+09,1.7960820240104856491e+09,NULL,1,0,1,NULL,NULL,NULL,NULL,'checkpoints/trial-00003.pt',NULL,NULL);
INSERT INTO "trials" VALUES(4,'search',NULL,'interrupted','{"cardinality": 2, "group_widths": [3, 6], "blocks": [1, 2], "knobs": {"learning_rate": 0.3}}',7,'sobol',NULL,NULL,NULL,1.79608202401628398899e+09,1.79608202401722335814e+09,NULL,1,1,2,NULL,NULL,NULL,NULL,'checkpoints/trial-00004.pt',NULL,NULL);
INSERT INTO "trials" VALUES(5,'search',NULL,'queued','{"cardinality": 1, "group_widths": [5, 9], "blocks": [2, 1], "knobs": {"learning_rate": 0.05}}',9223372036854775807,'ax',NULL,NULL,NULL,1.79608202401971864701e+09,NULL,NULL,0,0,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(6,'tune','width','completed','{"cardinality": 1, "group_widths": [5, 10], "blocks": [1, 2], "knobs": {"learning_rate": 0.1}}',7,'plan','cpu','here',NULL,1.79608202402122116084e+09,1.79608202402367687225e+09,1.79608202402892279617e+09,1,0,1,20.0,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(7,'confirm','width','completed','{"cardinality": 1, "group_widths": [5, 10], "blocks": [1, 2], "knobs": {"learning_rate": 0.1}}',8,'plan','cpu','here',NULL,1.79608202402981686597e+09,1.79608202403166460989e+09,1.79608202403574252134e+09,1,0,1,NULL,50.0,'2:gA==',NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(8,'search',NULL,'stopped','{"cardinality": 2, "group_widths": [3, 6], "blocks": [2, 1], "knobs": {"learning_rate": 0.6}}',7,'sobol','cpu','here',NULL,1.79608202403882551189e+09,1.79608202403966116904e+09,1.79608202404094624516e+09,1,0,1,NULL,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(9,'search',NULL,'completed','{"cardinality": 2, "group_widths": [3, 6], "blocks": [2, 1], "knobs": {"learning_rate": 0.7}}',7,'sobol','cpu','here',NULL,1.79608202404379677769e+09,1.79608202404478478437e+09,1.79608202404964470864e+09,1,0,1,30.0,NULL,NULL,1,NULL,NULL,NULL);
COMMIT;
