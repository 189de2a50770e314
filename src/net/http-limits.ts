/** What one HTTP port allows its clients. */
export interface HttpLimits {
  readonly maxConnections: number;
  /** All header fields of a request together, request line included. */
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  /** From the connection, or the first byte of a later request, to the end of the header. */
  readonly headersTimeoutMs: number;
  /** A connection without a request is closed after this long. */
  readonly keepAliveTimeoutMs: number;
  /** How long a client may keep an exchange waiting, on top of what its bytes are worth at the least rate. */
  readonly stallTimeoutMs: number;
  readonly minBytesPerSecond: number;
  /** Requests of one connection that wait for their turn. */
  readonly maxPipelined: number;
  /** How long the rest of a refused payload is received and dropped, so that the client sees the reply. */
  readonly lingerMs: number;
}

/**
 * For a few hundred clients on a LAN with a proxy in front or not. The keep-alive time is longer than nginx's and Apache's own, so
 * that it is the proxy who closes, and never a request that meets a closing connection.
 */
export const defaultHttpLimits: HttpLimits = {
  maxConnections: 2048,
  maxHeaderBytes: 16 * 1024,
  maxHeaders: 100,
  headersTimeoutMs: 10_000,
  keepAliveTimeoutMs: 75_000,
  stallTimeoutMs: 30_000,
  minBytesPerSecond: 1024,
  maxPipelined: 32,
  lingerMs: 5_000,
};
