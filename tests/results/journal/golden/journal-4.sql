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
INSERT INTO "epochs" VALUES(0,1,0.1,2.0,2.5,90.0,0.25,1.79587422718404197694e+09);
INSERT INTO "epochs" VALUES(0,2,0.1,1.0,1.25,12.5,0.25,1.79587422718433570864e+09);
INSERT INTO "epochs" VALUES(1,1,0.1,2.0,2.5,90.0,0.25,1.79587422718519806865e+09);
INSERT INTO "epochs" VALUES(1,2,0.1,1.0,1.25,9.0,0.25,1.79587422718548560141e+09);
INSERT INTO "epochs" VALUES(3,1,0.1,2.0,2.5,80.0,0.25,1.7958742271871180534e+09);
INSERT INTO "epochs" VALUES(4,1,0.1,2.0,2.5,70.0,0.25,1.79587422718809413906e+09);
INSERT INTO "epochs" VALUES(6,1,0.1,2.0,2.5,90.0,0.25,1.79587422718906259541e+09);
INSERT INTO "epochs" VALUES(6,2,0.1,1.0,1.25,20.0,0.25,1.7958742271893517971e+09);
INSERT INTO "epochs" VALUES(7,1,0.1,2.0,NULL,NULL,0.25,1.79587422719019126895e+09);
INSERT INTO "epochs" VALUES(7,2,0.1,1.0,NULL,NULL,0.25,1.79587422719045400614e+09);
INSERT INTO "epochs" VALUES(8,1,0.1,2.0,2.5,88.0,0.25,1.7958742271912074089e+09);
INSERT INTO "epochs" VALUES(9,1,0.1,2.0,2.5,89.0,0.25,1.79587422719198679926e+09);
INSERT INTO "epochs" VALUES(9,2,0.1,1.0,1.25,30.0,0.25,1.79587422719223809247e+09);
CREATE TABLE latencies (
    architecture TEXT NOT NULL,             -- JSON of a configuration without knobs
    device TEXT NOT NULL,                   -- as in trials
    host TEXT NOT NULL,
    latency_ms REAL NOT NULL CHECK (latency_ms > 0),
    latency_ms_spread REAL NOT NULL,
    measured_at REAL NOT NULL,
    PRIMARY KEY (architecture, device)
);
INSERT INTO "latencies" VALUES('{"cardinality": 1, "group_widths": [6, 13], "blocks": [1, 1], "knobs": {}}','cpu','here',1.5,0.25,1.79587422719255638127e+09);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "meta" VALUES('schema_version','4');
INSERT INTO "meta" VALUES('study','{"name":"tiny","data":{"name":"digits","root":"data","train_images":256,"validation_images":200,"resolution":null,"classes":null,"unreadable":"refuse"},"template":{"stem":"cifar","stride":2,"planes":4,"stages":2,"shortcut":"projection","width_rule":"matched"},"budget":{"like":{"cardinality":2,"width":4,"blocks":[1,1]},"multiply_adds":null,"tolerance":0.05},"axes":{"cardinality":[1,2,4],"width":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16],"blocks":{"listed":null,"min":1,"max":2,"uniform":false},"learning_rate":{"listed":null,"min":0.01,"max":1.0,"scale":"log"},"batch_size":null,"weight_decay":null,"momentum":null,"label_smoothing":null},"objectives":["validation_error","latency_ms"],"trainer":{"recipe":null,"epochs":2,"batch_size":64,"learning_rate":0.1,"momentum":0.9,"weight_decay":0.0005,"decay_norms":false,"label_smoothing":0.0,"schedule":"cosine","warmup_epochs":1.0,"augment":"standard","plugin":null},"search":{"trials":4,"parallel":"auto","optimizer":"ax","early_stopping":"asha","audit":0.1},"claim":{"kind":"spend","base":{"cardinality":1,"width":4,"blocks":[1,1]},"cardinality":null,"tolerance":0.02,"tuning_trials":3,"seeds":5,"margin":5.0,"finalists":1},"resources":{"cpu":1,"gpu":"auto","cluster":null},"seed":0}');
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
INSERT INTO "trials" VALUES(0,'search',NULL,'completed','{"cardinality": 1, "group_widths": [6, 13], "blocks": [1, 1], "knobs": {"learning_rate": 0.1}}',7,'sobol','cpu','here',1.79587422718262982365e+09,1.79587422718368768699e+09,1.79587422718434333796e+09,1,12.5,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(1,'search',NULL,'completed','{"cardinality": 2, "group_widths": [4, 8], "blocks": [1, 1], "knobs": {"learning_rate": 0.2}}',7,'sobol','cpu','here',1.79587422718471908565e+09,1.79587422718496131897e+09,1.79587422718549251559e+09,1,9.0,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(2,'search',NULL,'failed','{"cardinality": 1, "group_widths": [4, 8], "blocks": [2, 2], "knobs": {"learning_rate": 1.0}}',7,'sobol',NULL,NULL,1795874227.18579,1.79587422718602752686e+09,1.79587422718629717826e+09,1,NULL,NULL,NULL,NULL,NULL,'TrainingDiverged','Traceback ...
the loss is nan
');
INSERT INTO "trials" VALUES(3,'search',NULL,'interrupted','{"cardinality": 4, "group_widths": [2, 3], "blocks": [2, 1], "knobs": {"learning_rate": 0.01}}',7,'sobol',NULL,NULL,1.79587422718665289883e+09,1.79587422718688631065e+09,NULL,1,NULL,NULL,NULL,NULL,'checkpoints/trial-00003.pt',NULL,NULL);
INSERT INTO "trials" VALUES(4,'search',NULL,'running','{"cardinality": 2, "group_widths": [3, 6], "blocks": [1, 2], "knobs": {"learning_rate": 0.3}}',7,'sobol',NULL,NULL,1.79587422718763256067e+09,1.79587422718786740303e+09,NULL,1,NULL,NULL,NULL,NULL,'checkpoints/trial-00004.pt',NULL,NULL);
INSERT INTO "trials" VALUES(5,'search',NULL,'queued','{"cardinality": 1, "group_widths": [5, 9], "blocks": [2, 1], "knobs": {"learning_rate": 0.05}}',9223372036854775807,'ax',NULL,NULL,1795874227.18835,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(6,'tune','width','completed','{"cardinality": 1, "group_widths": [5, 10], "blocks": [1, 2], "knobs": {"learning_rate": 0.1}}',7,'plan','cpu','here',1.79587422718861269952e+09,1.79587422718883562089e+09,1.79587422718935847288e+09,1,20.0,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(7,'confirm','width','completed','{"cardinality": 1, "group_widths": [5, 10], "blocks": [1, 2], "knobs": {"learning_rate": 0.1}}',8,'plan','cpu','here',1.795874227189699173e+09,1.79587422718993663787e+09,1.79587422719046545032e+09,1,NULL,50.0,'2:gA==',NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(8,'search',NULL,'stopped','{"cardinality": 2, "group_widths": [3, 6], "blocks": [2, 1], "knobs": {"learning_rate": 0.6}}',7,'sobol','cpu','here',1.79587422719074821467e+09,1.79587422719098043443e+09,1.79587422719124603274e+09,1,NULL,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(9,'search',NULL,'completed','{"cardinality": 2, "group_widths": [3, 6], "blocks": [2, 1], "knobs": {"learning_rate": 0.7}}',7,'sobol','cpu','here',1.79587422719152379037e+09,1.79587422719175481789e+09,1.79587422719224596018e+09,1,30.0,NULL,NULL,1,NULL,NULL,NULL);
COMMIT;
