/** What the daemon needs of a role that was started, whatever it is. */
export interface RunningRole {
  /** Lets work under way end for at most `deadlineMs`, then ends it. */
  stop(deadlineMs: number): Promise<void>;
}

/**
 * Roles in the order in which they were started, stopped in reverse. One that fails to stop does not keep the others from
 * stopping.
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
    for (const { name, role } of this.#roles.splice(0).reverse()) {
      try {
        await role.stop(deadlineMs);
      } catch (error) {
        failures.push({ name, error });
      }
    }
    return failures;
  }
}
