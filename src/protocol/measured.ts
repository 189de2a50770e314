/**
 * The layout that most requests with names share: the lengths of the variable fields (i64 each), then the fixed fields, then
 * the variable fields themselves. Decoding consumes exactly that and leaves a payload behind it untouched. Pure.
 */
import type { Codec, ValueOf, WireReader, WireWriter } from "#protocol/codec.ts";
import { checkLength, type Fields, type StructOf, struct } from "#protocol/codecs.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";

/** A field whose length stands earlier in the body. */
export interface MeasuredField<T> {
  readonly min: number;
  readonly max: number;
  readonly sizeOf: (value: T) => number;
  readonly write: (value: T, writer: WireWriter) => void;
  readonly read: (reader: WireReader, length: number) => T;
}

/** A text of `min` to `max` bytes. */
export function measuredText(min: number, max: number): MeasuredField<string> {
  return {
    min,
    max,
    sizeOf: (value) => Buffer.byteLength(value),
    write: (value, writer) => writer.text(value),
    read: (reader, length) => reader.text(length),
  };
}

/** Bytes of any length that fits the body; decoding copies them out. */
export function measuredBytes(min: number, max: number): MeasuredField<Uint8Array> {
  return {
    min,
    max,
    sizeOf: (value) => value.length,
    write: (value, writer) => writer.raw(value),
    read: (reader, length) => Buffer.from(reader.rawView(length)),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: fields of all types meet here.
type MeasuredFields = Readonly<Record<string, MeasuredField<any>>>;
type MeasuredOf<M extends MeasuredFields> = {
  readonly [Name in keyof M]: M[Name] extends MeasuredField<infer T> ? T : never;
};
type Body<M extends MeasuredFields, F extends Fields> = MeasuredOf<M> & StructOf<F>;

/** `variable` fields with their lengths in front, around the `fixed` ones. `maxTotal` bounds the sum of the lengths. */
export function measured<M extends MeasuredFields, F extends Fields>(
  variable: M,
  fixed: F,
  maxTotal: number = Number.POSITIVE_INFINITY,
): Codec<{ readonly [Name in keyof Body<M, F>]: Body<M, F>[Name] }> {
  const names = Object.keys(variable);
  const fields = Object.values(variable);
  const middle = struct(fixed) as Codec<ValueOf<Codec<StructOf<F>>>>;
  const check = (lengths: readonly number[]): void => {
    let total = 0;
    for (const [at, length] of lengths.entries()) {
      checkLength(length, fields[at]?.min ?? 0, fields[at]?.max ?? 0);
      total += length;
    }
    if (total > maxTotal) throw new ProtocolError("invalid", `names of ${total} bytes together`);
  };
  return {
    encode(value, writer, context) {
      const contents = fields.map((_field, at) => value[names[at] as keyof typeof value]);
      const lengths = fields.map((field, at) => field.sizeOf(contents[at]));
      check(lengths);
      for (const length of lengths) writer.i64(length);
      middle.encode(value as unknown as StructOf<F>, writer, context);
      for (const [at, field] of fields.entries()) field.write(contents[at], writer);
    },
    decode(reader, context) {
      const lengths = fields.map(() => reader.i64());
      check(lengths);
      const value: Record<string, unknown> = { ...middle.decode(reader, context) };
      for (const [at, field] of fields.entries()) {
        value[names[at] as string] = field.read(reader, lengths[at] as number);
      }
      return value as Body<M, F>;
    },
  };
}
