/**
 * Children that live as long as we want them, and are talked to line by line over their standard streams. For programs that do one
 * thing and end see `commands.ts`.
 */

export interface Child {
  readonly processId: number | undefined;
  /** What it printed, in portions. */
  onOutput: (bytes: Uint8Array) => void;
  /** Called once, when it has ended or could not be started; with words about why, for the log. */
  onEnd: (why: string) => void;
  /** Text for its standard input; dropped where it has ended. */
  write(text: string): void;
  /**
   * Ends it with whatever it started, at once. One that the kernel holds is left behind, and goes when the kernel lets it. `onEnd`
   * is not called any more.
   */
  abandon(): void;
}

export interface Children {
  /** A program of the system, found as `Commands` finds it. It ends by itself when its standard input does, or is abandoned. */
  start(program: string, parameters: readonly string[]): Child;
  /** This very program, with other arguments. */
  startSelf(parameters: readonly string[]): Child;
}
