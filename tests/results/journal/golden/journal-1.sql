BEGIN TRANSACTION;
CREATE TABLE epochs (
    trial_id INTEGER NOT NULL REFERENCES trials (trial_id),
    epoch INTEGER NOT NULL,                 -- from 1
    learning_rate REAL NOT NULL,
    train_loss REAL NOT NULL,
    validation_loss REAL NOT NULL,
    validation_error REAL NOT NULL,
    seconds REAL NOT NULL,
    recorded_at REAL NOT NULL,
    PRIMARY KEY (trial_id, epoch)
);
INSERT INTO "epochs" VALUES(0,1,0.1,2.0,2.5,90.0,0.25,1.79587422592924904818e+09);
INSERT INTO "epochs" VALUES(0,2,0.1,1.0,1.25,12.5,0.25,1.79587422592959165571e+09);
INSERT INTO "epochs" VALUES(1,1,0.1,2.0,2.5,90.0,0.25,1795874225.93055);
INSERT INTO "epochs" VALUES(1,2,0.1,1.0,1.25,9.0,0.25,1.79587422593089413641e+09);
INSERT INTO "epochs" VALUES(3,1,0.1,2.0,2.5,80.0,0.25,1.79587422593279027937e+09);
INSERT INTO "epochs" VALUES(4,1,0.1,2.0,2.5,70.0,0.25,1.7958742259341175556e+09);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "meta" VALUES('schema_version','1');
INSERT INTO "meta" VALUES('study','{"name":"tiny","data":{"name":"digits","root":"data","train_images":256,"validation_images":200,"resolution":null,"classes":null},"template":{"stem":"cifar","stride":2,"planes":4,"stages":2,"shortcut":"projection","width_rule":"matched"},"budget":{"like":{"cardinality":2,"width":4,"blocks":[1,1]},"multiply_adds":null,"tolerance":0.05},"axes":{"cardinality":[1,2,4],"width":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16],"blocks":{"listed":null,"min":1,"max":2,"uniform":false},"learning_rate":{"listed":null,"min":0.01,"max":1.0,"scale":"log"},"batch_size":null,"weight_decay":null,"momentum":null,"label_smoothing":null},"objectives":["validation_error"],"trainer":{"epochs":2,"batch_size":64,"learning_rate":0.1,"momentum":0.9,"weight_decay":0.0005,"decay_norms":false,"label_smoothing":0.0,"schedule":"cosine","warmup_epochs":1.0,"augment":"standard"},"search":{"trials":4,"parallel":"auto","optimizer":"ax"},"resources":{"cpu":1,"gpu":"auto","cluster":null},"seed":0}');
CREATE TABLE trials (
    trial_id INTEGER PRIMARY KEY,           -- from 0, in the order of the proposals
    phase TEXT NOT NULL,                    -- search | tune | confirm
    arm TEXT,                               -- of the claim; NULL in the search
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'completed', 'stopped', 'failed', 'interrupted')),
    configuration TEXT NOT NULL,            -- JSON of the architecture and the knobs
    seed INTEGER NOT NULL,
    proposed_by TEXT NOT NULL,              -- sobol | ax
    device TEXT,                            -- cpu, or the name of the GPU
    host TEXT,
    queued_at REAL NOT NULL,                -- seconds since 1970
    started_at REAL,
    ended_at REAL,
    attempts INTEGER NOT NULL DEFAULT 0,    -- how often it was started
    validation_error REAL,                  -- percent, at the last epoch
    test_error REAL,                        -- percent; only ever in the confirm phase
    checkpoint TEXT,                        -- relative to the study folder
    failure_class TEXT,
    failure_message TEXT                    -- the tail of the error
);
INSERT INTO "trials" VALUES(0,'search',NULL,'completed','{"cardinality": 1, "group_widths": [6, 13], "blocks": [1, 1], "knobs": {"learning_rate": 0.1}}',7,'sobol','cpu','here',1.79587422592792367932e+09,1.7958742259289028645e+09,1.79587422592959904676e+09,1,12.5,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(1,'search',NULL,'completed','{"cardinality": 2, "group_widths": [4, 8], "blocks": [1, 1], "knobs": {"learning_rate": 0.2}}',7,'sobol','cpu','here',1.79587422592996573443e+09,1.79587422593026924131e+09,1.79587422593090033536e+09,1,9.0,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(2,'search',NULL,'failed','{"cardinality": 1, "group_widths": [4, 8], "blocks": [2, 2], "knobs": {"learning_rate": 1.0}}',7,'sobol',NULL,NULL,1.79587422593127298353e+09,1.79587422593157219887e+09,1.79587422593188881874e+09,1,NULL,NULL,NULL,'TrainingDiverged','Traceback ...
the loss is nan
');
INSERT INTO "trials" VALUES(3,'search',NULL,'interrupted','{"cardinality": 4, "group_widths": [2, 3], "blocks": [2, 1], "knobs": {"learning_rate": 0.01}}',7,'sobol',NULL,NULL,1.79587422593224573137e+09,1.79587422593252539633e+09,NULL,1,NULL,NULL,'checkpoints/trial-00003.pt',NULL,NULL);
INSERT INTO "trials" VALUES(4,'search',NULL,'running','{"cardinality": 2, "group_widths": [3, 6], "blocks": [1, 2], "knobs": {"learning_rate": 0.3}}',7,'sobol',NULL,NULL,1.79587422593352603918e+09,1.79587422593381905553e+09,NULL,1,NULL,NULL,'checkpoints/trial-00004.pt',NULL,NULL);
INSERT INTO "trials" VALUES(5,'search',NULL,'queued','{"cardinality": 1, "group_widths": [5, 9], "blocks": [2, 1], "knobs": {"learning_rate": 0.05}}',9223372036854775807,'ax',NULL,NULL,1.79587422593442273136e+09,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL);
COMMIT;
