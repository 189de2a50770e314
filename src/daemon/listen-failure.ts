/** What to say when a role cannot listen where its settings say: the role, the address, and the setting to change. Pure. */
import { AppError } from "#base/app-error.ts";
import { formatEndpoint } from "#model/endpoint.ts";

/** A part of the node that listens. */
export type ListeningPart = "tracker" | "storage" | "gateway" | "control";

/**
 * `error` in words where it says that an address or a path cannot be listened on (`listen-failed`, with the system's error as
 * its cause), else `error` itself.
 */
export function explainListenFailure(part: ListeningPart, error: unknown): unknown {
  if (!isListenError(error)) return error;
  const place = part === "control" ? "the control socket" : `the ${part}`;
  const message = `${place} cannot listen on ${placeOf(error)}: ${adviceFor(part, error)}`;
  return new AppError("listen-failed", message, { cause: error });
}

/** As Node makes it; a Unix socket has its path for an address, and no port. */
interface ListenError extends Error {
  readonly code: string;
  readonly address: string;
  readonly port?: number;
}

function isListenError(error: unknown): error is ListenError {
  return (
    error instanceof Error &&
    "syscall" in error &&
    error.syscall === "listen" &&
    "code" in error &&
    "address" in error
  );
}

function placeOf({ address, port }: ListenError): string {
  return port === undefined || port < 0 ? address : formatEndpoint({ address, port });
}

function adviceFor(part: ListeningPart, { code, port }: ListenError): string {
  if (part === "control") {
    return code === "EADDRINUSE"
      ? "a node that runs already answers there; stop it, or set node.control_socket and node.data_dir"
      : "set node.control_socket to a path that this user may write";
  }
  switch (code) {
    case "EADDRINUSE":
      return `another program does already; end it (ss -ltnp 'sport = :${port}' shows it), or set ${part}.port`;
    case "EACCES":
      return `ports below 1024 need the capability CAP_NET_BIND_SERVICE; grant it, or set ${part}.port`;
    case "EADDRNOTAVAIL":
      return "this machine has no such address; set node.bind";
    default:
      return `set ${part}.port or node.bind`;
  }
}
