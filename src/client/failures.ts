/**
 * What a failed exchange means: whether the server can have acted on it, whether another one may do better, and what the
 * caller is told. Pure.
 */
import { AppError, describeError } from "#base/app-error.ts";
import { type ClientErrorCode, clientError } from "#client/errors.ts";
import { type Endpoint, formatEndpoint } from "#model/endpoint.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";

export type Failure =
  /** No connection, so that nothing was asked. */
  | { readonly kind: "unreachable" }
  /** Something was asked and no answer came that could be understood. */
  | { readonly kind: "broken"; readonly misbehaved: boolean }
  /** A clear answer. */
  | { readonly kind: "status"; readonly status: number };

/** Undefined for what is no failure of the exchange: an abort, a closed client, an error of the caller's source. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof WireStatusError) return { kind: "status", status: error.status };
  if (!(error instanceof AppError)) return undefined;
  switch (error.code) {
    case "peer-unreachable":
    case "peer-busy":
      return { kind: "unreachable" };
    case "flow-broken":
    case "peer-silent":
      return { kind: "broken", misbehaved: false };
    case "peer-misbehaved":
      return { kind: "broken", misbehaved: true };
    default:
      return undefined;
  }
}

interface Verdict {
  readonly code: ClientErrorCode;
  readonly says: string;
}

const needsAnother =
  "cannot reach another server that it needs, such as its trunk server: try again later";

const verdicts: ReadonlyMap<number, Verdict> = new Map<number, Verdict>([
  [wireStatus.notPermitted, { code: "not-allowed", says: "does not admit this address" }],
  [
    wireStatus.notFound,
    { code: "file-missing", says: "has no such file: check the id, or it was deleted" },
  ],
  [wireStatus.interrupted, { code: "server-busy", says: "is stopping: try again later" }],
  [wireStatus.ioError, { code: "server-failed", says: "had an I/O error: look at its log" }],
  [wireStatus.tryAgain, { code: "server-busy", says: "cannot just now: try again later" }],
  [wireStatus.outOfMemory, { code: "server-busy", says: "is out of memory: try again later" }],
  [wireStatus.accessDenied, { code: "not-allowed", says: "is not permitted to do this" }],
  [wireStatus.busy, { code: "server-busy", says: "is busy: try again later" }],
  [wireStatus.exists, { code: "file-exists", says: "has that file already" }],
  [
    wireStatus.invalid,
    {
      code: "refused",
      says: "refuses the request as invalid: check the file id, the kind of file and the place in it",
    },
  ],
  [wireStatus.tooManyFiles, { code: "server-busy", says: "has too many files open" }],
  [
    wireStatus.noSpace,
    { code: "no-space", says: "has no space left above its reserve: delete files or add disks" },
  ],
  [wireStatus.readOnly, { code: "not-allowed", says: "cannot write: its disk is read-only" }],
  [wireStatus.timedOut, { code: "server-busy", says: needsAnother }],
  [wireStatus.connectionRefused, { code: "server-busy", says: needsAnother }],
  [wireStatus.notSupported, { code: "refused", says: "does not do this in its present mode" }],
]);

export interface Circumstances {
  /** What was tried, such as `delete group1/M00/…`. */
  readonly action: string;
  readonly server: Endpoint;
}

/** The error for the caller. What is no failure of the exchange comes back as it is. */
export function describeFailure(error: unknown, where: Circumstances): unknown {
  const failure = failureOf(error);
  if (failure === undefined) return error;
  const server = formatEndpoint(where.server);
  const details = { action: where.action, server };
  const cannot = `cannot ${where.action}: ${server}`;
  if (failure.kind === "unreachable") {
    return clientError("storage-unreachable", `${cannot} cannot be reached: ${why(error)}`, {
      cause: error,
      details,
    });
  }
  if (failure.kind === "broken") {
    const code = failure.misbehaved ? "peer-misbehaved" : "connection-broken";
    return clientError(code, `${cannot} gave no proper answer: ${describeError(error)}`, {
      cause: error,
      details,
    });
  }
  const { status } = failure;
  const verdict = verdicts.get(status);
  return clientError(
    verdict?.code ?? "server-failed",
    `${cannot} ${verdict?.says ?? `answered with status ${status}`}`,
    { cause: error, details: { ...details, status } },
  );
}

/** For an exchange after which nobody can tell whether the server did it. */
export function outcomeUnknown(error: unknown, where: Circumstances, advice: string): unknown {
  const failure = failureOf(error);
  if (failure?.kind !== "broken") return describeFailure(error, where);
  const server = formatEndpoint(where.server);
  return clientError(
    "outcome-unknown",
    `nobody knows whether ${server} did this: ${where.action}. ${describeError(error)}; ${advice}`,
    { cause: error, details: { action: where.action, server } },
  );
}

/** The connect error without its address, which the message has already. */
export function why(error: unknown): string {
  return error instanceof Error && error.cause !== undefined
    ? describeError(error.cause)
    : describeError(error);
}
