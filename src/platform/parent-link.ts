/** A child's end of the streams to the process that started it. */
export interface ParentLink {
  /** Returns when the text is on its way: also what is written just before a call that hangs arrives. */
  write(text: string): void;
  onInput: (bytes: Uint8Array) => void;
  /** The parent has gone, or wants no more. */
  onEnd: () => void;
}
