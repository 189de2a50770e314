/**
 * Shapes of JSON values from outside: what is expected, and a reader that checks it and says where it is wrong. The TypeScript
 * type follows from the shape. Pure.
 */
import { AppError } from "#base/app-error.ts";

export interface Shape<T> {
  /** For people: `a whole number from 1 to 9`. */
  readonly says: string;
  /** May be left out of a record. */
  readonly optional: boolean;
  /** The value, or throws `AppError("shape-mismatch")`; `path` names its place in messages. */
  readonly read: (value: unknown, path: string, surplus: Surplus) => T;
}

/** What to do about keys that a record does not know: our own input is exact, a newer peer's output may have more. */
export type Surplus = "refuse" | "drop";

export type ShapeValue<S> = S extends Shape<infer T> ? T : never;

/** Reads a whole value; `what` names it in messages. */
export function readShape<T>(
  shape: Shape<T>,
  value: unknown,
  options: { readonly what: string; readonly surplus: Surplus },
): T {
  return shape.read(value, options.what, options.surplus);
}

export function text(limits: { readonly maxLength: number }): Shape<string> {
  const says = `a text of at most ${limits.maxLength} characters`;
  return simple(says, (value): value is string => {
    return typeof value === "string" && value.length <= limits.maxLength;
  });
}

export function wholeNumber(
  limits: { readonly min?: number; readonly max?: number } = {},
): Shape<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = limits;
  const says = `a whole number from ${min} to ${max}`;
  return simple(says, (value): value is number => {
    return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
  });
}

export function flag(): Shape<boolean> {
  return simple("true or false", (value): value is boolean => typeof value === "boolean");
}

export function choice<const T extends string>(...words: readonly T[]): Shape<T> {
  const says = `one of ${words.map((word) => JSON.stringify(word)).join(", ")}`;
  return simple(says, (value): value is T => words.some((word) => word === value));
}

export function list<T>(item: Shape<T>, limits: { readonly max: number }): Shape<readonly T[]> {
  const says = `a list of at most ${limits.max}: ${item.says}`;
  return {
    says,
    optional: false,
    read(value, path, surplus) {
      if (!Array.isArray(value) || value.length > limits.max) throw mismatch(path, says);
      return value.map((each: unknown, at) => item.read(each, `${path}[${at}]`, surplus));
    },
  };
}

/** The same shape where it may be absent: a record's key can be left out or be null. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return {
    says: `${shape.says}, or nothing`,
    optional: true,
    read: (value, path, surplus) =>
      value === undefined || value === null ? undefined : shape.read(value, path, surplus),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: shapes of all types meet here.
type Fields = Readonly<Record<string, Shape<any>>>;
type RecordOf<F extends Fields> = {
  readonly [Name in keyof F as undefined extends ShapeValue<F[Name]> ? never : Name]: ShapeValue<
    F[Name]
  >;
} & {
  readonly [Name in keyof F as undefined extends ShapeValue<F[Name]> ? Name : never]?:
    | ShapeValue<F[Name]>
    | undefined;
};

export function record<F extends Fields>(
  fields: F,
): Shape<{ readonly [Name in keyof RecordOf<F>]: RecordOf<F>[Name] }> {
  const names = Object.keys(fields);
  const says = names.length === 0 ? "nothing, {}" : `a record with ${names.join(", ")}`;
  return {
    says,
    optional: false,
    read(value, path, surplus) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw mismatch(path, says);
      }
      const given = value as Readonly<Record<string, unknown>>;
      if (surplus === "refuse") refuseSurplus(given, fields, path);
      const result: Record<string, unknown> = {};
      for (const [name, shape] of Object.entries(fields)) {
        const own = Object.hasOwn(given, name) ? given[name] : undefined;
        if (own === undefined && !shape.optional) throw mismatch(`${path}.${name}`, shape.says);
        const read: unknown = shape.read(own, `${path}.${name}`, surplus);
        if (read !== undefined) result[name] = read;
      }
      return result as { readonly [Name in keyof RecordOf<F>]: RecordOf<F>[Name] };
    },
  };
}

function refuseSurplus(given: object, fields: Fields, path: string): void {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(fields, name));
  if (unknown === undefined) return;
  throw new AppError(
    "shape-mismatch",
    `${path} has no "${unknown.slice(0, 60)}"; it has ${Object.keys(fields).join(", ") || "nothing"}`,
  );
}

function simple<T>(says: string, fits: (value: unknown) => value is T): Shape<T> {
  return {
    says,
    optional: false,
    read(value, path) {
      if (fits(value)) return value;
      throw mismatch(path, says);
    },
  };
}

function mismatch(path: string, says: string): AppError {
  return new AppError("shape-mismatch", `${path} must be ${says}`);
}
