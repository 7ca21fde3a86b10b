/** Typed where it is used (`models/tokenizer/jinja.ts`): what it declares itself resolves here, and not by Node's rules. */
declare module '@huggingface/jinja'
