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
INSERT INTO "epochs" VALUES(0,1,0.1,2.0,2.5,90.0,0.25,1.79604370634924030303e+09);
INSERT INTO "epochs" VALUES(0,2,0.1,1.0,1.25,12.5,0.25,1.79604370634955406191e+09);
INSERT INTO "epochs" VALUES(1,1,0.1,2.0,2.5,90.0,0.25,1.79604370635037231449e+09);
INSERT INTO "epochs" VALUES(1,2,0.1,1.0,1.25,9.0,0.25,1.79604370635061383245e+09);
INSERT INTO "epochs" VALUES(3,1,0.1,2.0,2.5,80.0,0.25,1.79604370635217571263e+09);
INSERT INTO "epochs" VALUES(4,1,0.1,2.0,2.5,70.0,0.25,1.79604370635314369202e+09);
INSERT INTO "epochs" VALUES(6,1,0.1,2.0,2.5,90.0,0.25,1.79604370635411548619e+09);
INSERT INTO "epochs" VALUES(6,2,0.1,1.0,1.25,20.0,0.25,1.79604370635436296462e+09);
INSERT INTO "epochs" VALUES(7,1,0.1,2.0,NULL,NULL,0.25,1.79604370635511660569e+09);
INSERT INTO "epochs" VALUES(7,2,0.1,1.0,NULL,NULL,0.25,1.79604370635536623006e+09);
INSERT INTO "epochs" VALUES(8,1,0.1,2.0,2.5,88.0,0.25,1.79604370635616326324e+09);
INSERT INTO "epochs" VALUES(9,1,0.1,2.0,2.5,89.0,0.25,1.79604370635694432262e+09);
INSERT INTO "epochs" VALUES(9,2,0.1,1.0,1.25,30.0,0.25,1.79604370635719656941e+09);
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
    device TEXT NOT NULL,                   -- as in trials
    host TEXT NOT NULL,
    latency_ms REAL NOT NULL CHECK (latency_ms > 0),
    latency_ms_spread REAL NOT NULL,
    measured_at REAL NOT NULL,
    PRIMARY KEY (architecture, device)
);
INSERT INTO "latencies" VALUES('{"cardinality": 1, "group_widths": [6, 13], "blocks": [1, 1], "knobs": {}}','cpu','here',1.5,0.25,1.79604370635746645934e+09);
CREATE TABLE looks (                        -- at the runs that confirm, each before more of them were queued
    seeds INTEGER PRIMARY KEY,              -- that every arm had
    word TEXT NOT NULL,                     -- what the runs said: the verdict
    planned INTEGER NOT NULL,               -- 1: it stood in the plan
    judged_at REAL NOT NULL
);
INSERT INTO "looks" VALUES(5,'inconclusive',1,1.79604370635798168184e+09);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "meta" VALUES('schema_version','7');
INSERT INTO "meta" VALUES('study','{"name":"tiny","data":{"name":"digits","root":"data","train_images":256,"validation_images":200,"resolution":null,"classes":null,"unreadable":"refuse"},"template":{"stem":"cifar","stride":2,"planes":4,"stages":2,"shortcut":"projection","width_rule":"matched"},"budget":{"like":{"cardinality":2,"width":4,"blocks":[1,1]},"multiply_adds":null,"tolerance":0.05},"axes":{"cardinality":[1,2,4],"width":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16],"blocks":{"listed":null,"min":1,"max":2,"uniform":false},"learning_rate":{"listed":null,"min":0.01,"max":1.0,"scale":"log"},"batch_size":null,"weight_decay":null,"momentum":null,"label_smoothing":null},"objectives":["validation_error","latency_ms"],"trainer":{"recipe":null,"epochs":2,"batch_size":64,"learning_rate":0.1,"momentum":0.9,"weight_decay":0.0005,"decay_norms":false,"label_smoothing":0.0,"schedule":"cosine","warmup_epochs":1.0,"augment":"standard","plugin":null},"search":{"trials":4,"parallel":"auto","optimizer":"ax","early_stopping":"asha","audit":0.1},"claim":{"kind":"spend","base":{"cardinality":1,"width":4,"blocks":[1,1]},"cardinality":null,"tolerance":0.02,"tuning_seeds":2,"tuning_trials":3,"seeds":5,"looks":null,"margin":5.0,"finalists":1},"resources":{"cpu":1,"gpu":"auto","cluster":null},"limits":{"time":null,"training_flops":null,"trial_time":null},"trackers":[],"seed":0,"rules":2}');
CREATE TABLE trials (
    trial_id INTEGER PRIMARY KEY,           -- from 0, in the order of the proposals
    phase TEXT NOT NULL,                    -- search | tune | confirm
    arm TEXT,                               -- of the claim, or a finalist of the search; NULL in the search
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'completed', 'stopped', 'failed', 'interrupted')),
    configuration TEXT NOT NULL,            -- JSON of the architecture and the knobs
    seed INTEGER NOT NULL,
    proposed_by TEXT NOT NULL,              -- sobol | ax in the search | plan in tune and confirm
    device TEXT,                            -- cpu, or the name of the GPU
    host TEXT,
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
INSERT INTO "trials" VALUES(0,'search',NULL,'completed','{"cardinality": 1, "group_widths": [6, 13], "blocks": [1, 1], "knobs": {"learning_rate": 0.1}}',7,'sobol','cpu','here',1.79604370634502887721e+09,1.79604370634779095649e+09,1.79604370634956407547e+09,1,0,1,12.5,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(1,'search',NULL,'completed','{"cardinality": 2, "group_widths": [4, 8], "blocks": [1, 1], "knobs": {"learning_rate": 0.2}}',7,'sobol','cpu','here',1.79604370634989643096e+09,1.79604370635012102128e+09,1.79604370635062336918e+09,1,0,1,9.0,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(2,'search',NULL,'failed','{"cardinality": 1, "group_widths": [4, 8], "blocks": [2, 2], "knobs": {"learning_rate": 1.0}}',7,'sobol',NULL,NULL,1.79604370635090017319e+09,1.79604370635111761089e+09,1.79604370635136747361e+09,1,0,1,NULL,NULL,NULL,NULL,NULL,'TrainingDiverged','Traceback ...
the loss is nan
');
INSERT INTO "trials" VALUES(3,'search',NULL,'interrupted','{"cardinality": 4, "group_widths": [2, 3], "blocks": [2, 1], "knobs": {"learning_rate": 0.01}}',7,'sobol',NULL,NULL,1.79604370635169863701e+09,1.79604370635192656514e+09,NULL,1,0,1,NULL,NULL,NULL,NULL,'checkpoints/trial-00003.pt',NULL,NULL);
INSERT INTO "trials" VALUES(4,'search',NULL,'interrupted','{"cardinality": 2, "group_widths": [3, 6], "blocks": [1, 2], "knobs": {"learning_rate": 0.3}}',7,'sobol',NULL,NULL,1.79604370635268473623e+09,1.79604370635289716721e+09,NULL,1,1,2,NULL,NULL,NULL,NULL,'checkpoints/trial-00004.pt',NULL,NULL);
INSERT INTO "trials" VALUES(5,'search',NULL,'queued','{"cardinality": 1, "group_widths": [5, 9], "blocks": [2, 1], "knobs": {"learning_rate": 0.05}}',9223372036854775807,'ax',NULL,NULL,1.79604370635339760783e+09,NULL,NULL,0,0,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(6,'tune','width','completed','{"cardinality": 1, "group_widths": [5, 10], "blocks": [1, 2], "knobs": {"learning_rate": 0.1}}',7,'plan','cpu','here',1.79604370635365200047e+09,1.79604370635386919978e+09,1.79604370635437297822e+09,1,0,1,20.0,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(7,'confirm','width','completed','{"cardinality": 1, "group_widths": [5, 10], "blocks": [1, 2], "knobs": {"learning_rate": 0.1}}',8,'plan','cpu','here',1.7960437063546469212e+09,1.79604370635486364367e+09,1.79604370635537743568e+09,1,0,1,NULL,50.0,'2:gA==',NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(8,'search',NULL,'stopped','{"cardinality": 2, "group_widths": [3, 6], "blocks": [2, 1], "knobs": {"learning_rate": 0.6}}',7,'sobol','cpu','here',1.79604370635569047924e+09,1.79604370635591483115e+09,1.79604370635620403284e+09,1,0,1,NULL,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(9,'search',NULL,'completed','{"cardinality": 2, "group_widths": [3, 6], "blocks": [2, 1], "knobs": {"learning_rate": 0.7}}',7,'sobol','cpu','here',1.79604370635648131365e+09,1.79604370635669565196e+09,1.79604370635720586774e+09,1,0,1,30.0,NULL,NULL,1,NULL,NULL,NULL);
COMMIT;
