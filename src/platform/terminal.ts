/** The three streams of a command, and who sits at them. */

export interface Terminal {
  /** Whether a person reads or types at the other end. */
  readonly inputIsTerminal: boolean;
  readonly outputIsTerminal: boolean;
  readonly errorIsTerminal: boolean;
  /** Width of the terminal that messages go to, in characters; 80 where there is none. */
  columns(): number;
  /**
   * Data. Resolves when the next portion may be written; rejects with `FileError("EPIPE")` when nobody reads any more. The bytes
   * must stay as they are until then.
   */
  writeOutput(data: string | Uint8Array): Promise<void>;
  /** Messages; never fails. */
  writeError(text: string): void;
  /** Bytes that came in, in portions. Must not be kept past the next portion. */
  readInput(): AsyncIterable<Uint8Array>;
  /** One line that the person types after `question`; empty at the end of input. */
  ask(question: string): Promise<string>;
  /** Calls `handler` at Ctrl-C or SIGTERM, in place of ending; the second time the process ends at once. Returns the undoing. */
  onInterrupt(handler: () => void): () => void;
}
