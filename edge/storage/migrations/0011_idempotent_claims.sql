-- Whose work it is, so that one who lost the claim to another keeps nothing; and the headers that an answer is given again with.
ALTER TABLE idempotent_answers ADD COLUMN claim TEXT;
ALTER TABLE idempotent_answers ADD COLUMN headers TEXT;
