/**
 * What can be wrong with settings. A problem names its place; all problems of a load are thrown as one `AppError`, so that
 * a person corrects a file once. `Reading` is how parsers here answer: a value, or words about what is wrong with it. Pure.
 */
import { AppError } from "#base/app-error.ts";

export type ConfigErrorCode = "config-invalid" | "storage-ids-invalid";

export interface ConfigProblem {
  /** File name, `environment` or `command line`. */
  readonly source: string;
  readonly line: number | undefined;
  /** Dotted key such as `storage.port`, or empty when the text as a whole is meant. */
  readonly key: string;
  readonly message: string;
}

export type Reading<T> =
  | { readonly value: T }
  /** `at` is the position, from 0, of the wrong entry of a list. */
  | { readonly problem: string; readonly at?: number };

/** `cairn.toml:12: storage.port: …`. */
export function formatProblem(problem: ConfigProblem): string {
  const place = problem.line === undefined ? problem.source : `${problem.source}:${problem.line}`;
  return [place, problem.key, problem.message].filter((part) => part !== "").join(": ");
}

/** One error that lists every problem, one a line; `details.problems` holds them as data. */
export function configError(
  code: ConfigErrorCode,
  problems: readonly ConfigProblem[],
): AppError<ConfigErrorCode> {
  return new AppError(code, problems.map(formatProblem).join("\n"), { details: { problems } });
}
