/** Generated values of the fields that many messages share, each over its whole range. */
import fc, { type Arbitrary } from "fast-check";

export interface Sides {
  readonly request: Arbitrary<unknown>;
  readonly reply: Arbitrary<unknown>;
}

export const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"];
export const nameCharacters = [...letters, "_", "-", "."];

export function textOf(characters: readonly string[], minLength: number, maxLength: number) {
  return fc.string({ unit: fc.constantFrom(...characters), minLength, maxLength });
}

export const none = fc.constant(undefined);
export const byte = fc.nat(255);
export const bool = fc.boolean();
export const u32 = fc.nat(0xffffffff);
export const i32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
export const i64 = fc.oneof(
  fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 }),
  fc.constantFrom(0, -1, 2 ** 32 - 1, 2 ** 32, -(2 ** 32), 2 ** 53 - 1),
);
export const size = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 53 - 1 }),
  fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
);
export const port = fc.integer({ min: 1, max: 65535 });
export const group = textOf(letters, 1, 16);
export const anyGroup = textOf([...letters, "_", " ", "ü"], 0, 8);
export const id = textOf([...letters, ".", ":"], 1, 15);
export const anyId = textOf([...letters, "."], 0, 15);
export const filename = (min: number, max: number) => textOf([...nameCharacters, "/"], min, max);
export const name = filename(1, 127);
export const ipv4 = fc.ipV4();
export const ipv6 = fc.constantFrom(
  "fe80::2",
  "::1",
  "2001:db8::3",
  "fd00:1234:5678:9abc:def0:1234:5678:9abc",
);
export const address = fc.oneof(ipv4, ipv6);
export const version = textOf(nameCharacters, 0, 8);
export const bytes = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
export const optional = <T>(value: Arbitrary<T>): Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });
export const record = (fields: Record<string, Arbitrary<unknown>>) =>
  fc.record(fields, { noNullPrototype: true });
export const few = (item: Arbitrary<unknown>, minLength: number = 0) =>
  fc.array(item, { minLength, maxLength: 4 });

export const endpoint = record({ address, port });
export const statuses = fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 9, 99);
export const brief = record({ status: statuses, port: i32, id, address });
export const changes = record({
  leader: fc.oneof(none, fc.constant("none"), endpoint),
  trunkServer: fc.oneof(none, fc.constant("none"), brief),
  members: optional(few(brief)),
});
