/**
 * What an operator can ask of a node, as data: name, who may, what it does, input and output. Command line, dashboard, HTTP and
 * MQTT all come from these declarations; there is no second list. Pure.
 */
import type { Shape } from "#base/schema.ts";

/** Each may what those before it may: look; change settings and files; end, delete and hand over. */
export type Access = "viewer" | "operator" | "owner";

export type Effect = "read" | "change" | "destroy";

export interface Operation<Input = unknown, Output = unknown> {
  /** `config.show`; on the wire and in MQTT topics. */
  readonly name: string;
  /** One sentence for the operator. */
  readonly says: string;
  /** The least that a caller must be. */
  readonly access: Access;
  readonly effect: Effect;
  readonly input: Shape<Input>;
  readonly output: Shape<Output>;
}

// biome-ignore lint/suspicious/noExplicitAny: operations of all types meet here.
export type AnyOperation = Operation<any, any>;
export type OperationFamily = Readonly<Record<string, AnyOperation>>;
export type InputOf<O> = O extends Operation<infer Input, infer _Output> ? Input : never;
export type OutputOf<O> = O extends Operation<infer _Input, infer Output> ? Output : never;

/** Declares one; the types follow from the shapes. */
export function operation<Input, Output>(
  declaration: Operation<Input, Output>,
): Operation<Input, Output> {
  return declaration;
}

const ranks: Readonly<Record<Access, number>> = { viewer: 0, operator: 1, owner: 2 };

/** True when somebody with `has` may do what asks for `needed`. */
export function suffices(has: Access, needed: Access): boolean {
  return ranks[has] >= ranks[needed];
}
