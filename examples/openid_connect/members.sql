-- The members of the example openid_connect. A provider never gives a subject to another user.
CREATE TABLE members (
    number INTEGER NOT NULL PRIMARY KEY,
    issuer VARCHAR(255) NOT NULL,
    subject VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    UNIQUE (issuer, subject)
);
