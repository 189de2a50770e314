/**
 * The one table from operations to what does them. Whoever asks, over whatever transport, comes through `run`: it checks the
 * caller's access and the input. Filled by the daemon at start. Main thread.
 */
import { AppError } from "#base/app-error.ts";
import { assert } from "#base/assert.ts";
import { readShape } from "#base/schema.ts";
import type { Caller } from "#control/caller.ts";
import { controlError } from "#control/errors.ts";
import {
  type AnyOperation,
  type InputOf,
  type OperationFamily,
  type OutputOf,
  suffices,
} from "#control/operation.ts";

/** One function for each operation of a family. A missing one, a surplus one or a wrong output does not compile. */
export type OperationHandlers<Family extends OperationFamily> = {
  readonly [Name in keyof Family]: (
    input: InputOf<Family[Name]>,
    caller: Caller,
  ) => OutputOf<Family[Name]> | Promise<OutputOf<Family[Name]>>;
};

type UntypedHandler = (input: unknown, caller: Caller) => unknown;

export class ControlBus {
  readonly #entries = new Map<string, { operation: AnyOperation; handle: UntypedHandler }>();

  /** Each operation has one handler. */
  add<Family extends OperationFamily>(family: Family, handlers: OperationHandlers<Family>): void {
    for (const [key, operation] of Object.entries(family)) {
      assert(!this.#entries.has(operation.name), `operation ${operation.name} was added before`);
      // Sound because the two parameters agree key by key.
      const handle = handlers[key] as unknown as UntypedHandler;
      this.#entries.set(operation.name, { operation, handle });
    }
  }

  get operations(): readonly AnyOperation[] {
    return Array.from(this.#entries.values(), ({ operation }) => operation);
  }

  /**
   * Rejects with `operation-unknown`, `access-denied`, `input-invalid`, or what the handler rejected with. The output is what
   * the operation declares.
   */
  async run(caller: Caller, name: string, input: unknown): Promise<unknown> {
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      throw controlError(
        "operation-unknown",
        `this daemon has no operation "${name.slice(0, 60)}": is it an older version?`,
      );
    }
    const { operation, handle } = entry;
    if (!suffices(caller.access, operation.access)) {
      throw controlError(
        "access-denied",
        `${operation.name} is for the ${operation.access}; ${caller.name} is ${caller.access}`,
      );
    }
    return await handle(readInput(operation, input), caller);
  }
}

function readInput(operation: AnyOperation, input: unknown): unknown {
  try {
    return readShape(operation.input, input, { what: "input", surplus: "refuse" });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw controlError("input-invalid", `${operation.name}: ${error.message}`, error);
  }
}
