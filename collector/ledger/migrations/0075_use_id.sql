-- Which of several attempts at the one use of an approval has it: named by the program, absent where it names none.
ALTER TABLE approval ADD COLUMN use_id TEXT;
