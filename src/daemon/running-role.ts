/** What the daemon needs of a role that was started, whatever it is. */
export interface RunningRole {
  /** Lets work under way end for at most `deadlineMs`, then ends it. */
  stop(deadlineMs: number): Promise<void>;
}

/**
 * Roles in the order in which they were started. They stop side by side, beginning with the last one, so that all of them
 * together take no longer than one is given. One that fails to stop does not keep the others from stopping.
 */
export class RoleStack {
  readonly #roles: { readonly name: string; readonly role: RunningRole }[] = [];

  push(name: string, role: RunningRole): void {
    this.#roles.push({ name, role });
  }

  /** The roles that failed to stop, with why. */
  async stop(
    deadlineMs: number,
  ): Promise<readonly { readonly name: string; readonly error: unknown }[]> {
    const failures: { readonly name: string; readonly error: unknown }[] = [];
    const stopping = this.#roles
      .splice(0)
      .reverse()
      .map(async ({ name, role }) => {
        try {
          await role.stop(deadlineMs);
        } catch (error) {
          failures.push({ name, error });
        }
      });
    await Promise.all(stopping);
    return failures;
  }
}
