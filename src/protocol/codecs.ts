/**
 * Codecs of single fields and the ways to join them into bodies. A decoder takes what it needs and leaves the rest, except
 * those named `rest…` and `list`, which take everything up to the end. Pure; both directions throw `ProtocolError` only.
 */
import type { Codec, ValueOf, WireContext, WireReader, WireWriter } from "#protocol/codec.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";

export const u8: Codec<number> = {
  encode: (value, writer) => writer.u8(value),
  decode: (reader) => reader.u8(),
};

export const i8: Codec<number> = {
  encode: (value, writer) => writer.u8(value),
  decode: (reader) => (reader.u8() << 24) >> 24,
};

/** A byte that is 0 or, as sent by us, 1. */
export const flag: Codec<boolean> = {
  encode: (value, writer) => writer.u8(value ? 1 : 0),
  decode: (reader) => reader.u8() !== 0,
};

export const i32: Codec<number> = {
  encode: (value, writer) => writer.i32(value),
  decode: (reader) => reader.i32(),
};

/** An i32 whose bits are an unsigned number, such as a timestamp of this century's second half. */
export const u32: Codec<number> = {
  encode: (value, writer) => writer.i32(value),
  decode: (reader) => reader.i32() >>> 0,
};

export const i64: Codec<number> = {
  encode: (value, writer) => writer.i64(value),
  decode: (reader) => reader.i64(),
};

/** An i64 that counts or measures: negative values do not pass. */
export const size: Codec<number> = {
  encode: (value, writer) => writer.i64(value),
  decode(reader) {
    const value = reader.i64();
    if (value < 0) throw new ProtocolError("invalid", `negative number ${value}`);
    return value;
  },
};

/**
 * The status byte of the request's header, for the requests that use it: takes no byte of the body. Receivers pass it as
 * `context.requestStatus`; senders take it from the declaration's `statusOfRequest`.
 */
export const headerStatus: Codec<number> = {
  encode: () => {},
  decode: (_reader, context) => context.requestStatus ?? 0,
};

/** A fixed field of `width` bytes which ends at its first NUL; a text of exactly `width` bytes has none (protocol §1.4). */
export function text(width: number): Codec<string> {
  return {
    encode(value, writer) {
      if (Buffer.byteLength(value) > width) {
        throw new ProtocolError("invalid", `"${value.slice(0, 40)}" is longer than ${width} bytes`);
      }
      writer.paddedText(value, width);
    },
    decode: (reader) => reader.paddedText(width),
  };
}

/** Text up to the end of the body, of `min` to `max` bytes. */
export function restText(min: number = 0, max: number = Number.POSITIVE_INFINITY): Codec<string> {
  return {
    encode(value, writer) {
      checkLength(Buffer.byteLength(value), min, max);
      writer.text(value);
    },
    decode(reader) {
      checkLength(reader.remaining, min, max);
      return reader.text(reader.remaining);
    },
  };
}

/** Text up to the end of the body or the first NUL, written with a NUL behind it where `terminated`. */
export function restTextToNul(terminated: boolean): Codec<string> {
  return {
    encode(value, writer) {
      writer.text(value);
      if (terminated) writer.u8(0);
    },
    decode: (reader) => reader.paddedText(reader.remaining),
  };
}

/** Bytes up to the end of the body, at least `min`; decoding copies them out. */
export function restBytes(min: number = 0): Codec<Uint8Array> {
  return {
    encode(value, writer) {
      checkLength(value.length, min, Number.POSITIVE_INFINITY);
      writer.raw(value);
    },
    decode(reader) {
      checkLength(reader.remaining, min, Number.POSITIVE_INFINITY);
      return Buffer.from(reader.rawView(reader.remaining));
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: fields of all types meet here.
export type Fields = Readonly<Record<string, Codec<any>>>;
export type StructOf<F extends Fields> = { readonly [Name in keyof F]: ValueOf<F[Name]> };

/** Fields one behind the other, in the order in which they are written here. */
export function struct<F extends Fields>(fields: F): Codec<StructOf<F>> {
  const names = Object.keys(fields);
  const codecs = Object.values(fields);
  return {
    encode(value, writer, context) {
      for (let at = 0; at < names.length; at += 1) {
        codecs[at]?.encode(value[names[at] as keyof F], writer, context);
      }
    },
    decode(reader, context) {
      const value: Record<string, unknown> = {};
      for (let at = 0; at < names.length; at += 1) {
        value[names[at] as string] = codecs[at]?.decode(reader, context);
      }
      return value as StructOf<F>;
    },
  };
}

/** Values up to the end of the body, `min` to `max` of them. */
export function list<T>(
  item: Codec<T>,
  limits: { readonly min?: number; readonly max?: number } = {},
): Codec<readonly T[]> {
  const { min = 0, max = Number.POSITIVE_INFINITY } = limits;
  return {
    encode(values, writer, context) {
      checkCount(values.length, min, max);
      for (const value of values) item.encode(value, writer, context);
    },
    decode(reader, context) {
      const values: T[] = [];
      while (reader.remaining > 0) {
        checkCount(values.length + 1, 0, max);
        const before = reader.remaining;
        values.push(item.decode(reader, context));
        if (reader.remaining === before) throw new ProtocolError("invalid", "an empty list item");
      }
      checkCount(values.length, min, max);
      return values;
    },
  };
}

/** Values behind their number. The number is checked against what can follow before anything is allocated. */
export function counted<T>(count: Codec<number>, item: Codec<T>, max: number): Codec<readonly T[]> {
  return {
    encode(values, writer, context) {
      checkCount(values.length, 0, max);
      count.encode(values.length, writer, context);
      for (const value of values) item.encode(value, writer, context);
    },
    decode(reader, context) {
      const announced = count.decode(reader, context);
      checkCount(announced, 0, max);
      const values: T[] = [];
      while (values.length < announced) values.push(item.decode(reader, context));
      return values;
    },
  };
}

/** Present when bytes are left, else `undefined`: a tail that older peers leave out, or that says something by its absence. */
export function optionalTail<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    encode(value, writer, context) {
      if (value !== undefined) codec.encode(value, writer, context);
    },
    decode: (reader, context) =>
      reader.remaining === 0 ? undefined : codec.decode(reader, context),
  };
}

/** A field which exists from a release on (`releaseNumber`); for older peers it is not sent, and reads as `fallback`. */
export function since<T>(release: number, codec: Codec<T>, fallback: T): Codec<T> {
  return when((context) => context.release === undefined || context.release >= release, {
    codec,
    fallback,
  });
}

/** A field which existed before a release only; newer peers do not get it, and it reads as `fallback`. */
export function until<T>(release: number, codec: Codec<T>, fallback: T): Codec<T> {
  return when((context) => context.release !== undefined && context.release < release, {
    codec,
    fallback,
  });
}

/** A number from `min` to `max`; others are `invalid`. */
export function ranged(codec: Codec<number>, min: number, max: number): Codec<number> {
  return {
    encode: codec.encode,
    decode(reader, context) {
      const value = codec.decode(reader, context);
      if (value >= min && value <= max) return value;
      throw new ProtocolError("invalid", `${value} is not in the range ${min} to ${max}`);
    },
  };
}

/** Takes and drops a body that should be empty; nothing is sent. Some C replies echo their request (protocol §13.8). */
export const drained: Codec<undefined> = {
  encode: () => {},
  decode(reader) {
    reader.rawView(reader.remaining);
    return undefined;
  },
};

/** Tells a body of exactly `length` bytes from what is no such message at all. */
export function constantLength<T>(length: number, codec: Codec<T>): Codec<T> {
  return {
    encode(value, writer, context) {
      const before = writer.length;
      codec.encode(value, writer, context);
      const written = writer.length - before;
      if (written !== length) throw new ProtocolError("invalid", `${written} bytes, not ${length}`);
    },
    decode(reader, context) {
      if (reader.remaining !== length) {
        throw new ProtocolError("invalid", `${reader.remaining} bytes, not ${length}`);
      }
      return codec.decode(reader, context);
    },
  };
}

/** What an own type makes of a field's plain value. `parse` throws `ProtocolError`, or returns undefined to refuse. */
export function refined<Raw, T>(
  codec: Codec<Raw>,
  conversion: {
    readonly what: string;
    readonly parse: (raw: Raw) => T | undefined;
    readonly format: (value: T) => Raw;
  },
): Codec<T> {
  const { what, parse, format } = conversion;
  return {
    encode: (value, writer, context) => codec.encode(format(value), writer, context),
    decode(reader, context) {
      const raw = codec.decode(reader, context);
      const value = parse(raw);
      if (value === undefined) throw new ProtocolError("invalid", `${String(raw)} is not ${what}`);
      return value;
    },
  };
}

/** `invalid` unless `min` ≤ `length` ≤ `max`, in bytes. */
export function checkLength(length: number, min: number, max: number): void {
  if (length < min || length > max) {
    throw new ProtocolError("invalid", `${length} bytes, allowed are ${min} to ${max}`);
  }
}

function checkCount(count: number, min: number, max: number): void {
  if (count < min || count > max) {
    throw new ProtocolError("invalid", `${count} items, allowed are ${min} to ${max}`);
  }
}

function when<T>(
  applies: (context: WireContext) => boolean,
  field: { readonly codec: Codec<T>; readonly fallback: T },
): Codec<T> {
  return {
    encode(value: T, writer: WireWriter, context: WireContext) {
      if (applies(context)) field.codec.encode(value, writer, context);
    },
    decode: (reader: WireReader, context: WireContext) =>
      applies(context) ? field.codec.decode(reader, context) : field.fallback,
  };
}
