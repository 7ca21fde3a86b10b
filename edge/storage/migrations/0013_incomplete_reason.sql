-- Why a message is incomplete, where that is known: `max_output_tokens`.
ALTER TABLE conversation_items ADD COLUMN incomplete_reason TEXT;
