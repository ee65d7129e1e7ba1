-- The members of the example own_users, as its application has had them all along.
CREATE TABLE members (
    number INTEGER NOT NULL PRIMARY KEY,
    nickname VARCHAR(64) NOT NULL UNIQUE,
    -- PHC string
    secret VARCHAR(255) NOT NULL,
    is_closed BOOLEAN NOT NULL DEFAULT FALSE
);
-- Her password is: correct horse battery
INSERT INTO members (number, nickname, secret) VALUES
    (7, 'ada', '$pbkdf2-sha256$i=600000,l=32$b3duIHVzZXJzLCBzYWx0IQ$oT/ucI4o1eIVUn0ZUOPNp/o8xmPKFySSzlHBQerxDWo');
