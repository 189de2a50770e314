/** The ten bytes in front of every request and reply (protocol §1.1). */
export const headerSize = 10;
/** The command byte of every reply. */
export const replyCommand = 100;
/** Announced by a reply of FETCH_ONE_PATH_BINLOG, whose end is the end of the connection. */
export const endlessLength = 2 ** 58;

const twoTo32 = 4294967296;

/** Writes a header at `at`; `length` is that of the body, in bytes. */
export function writeHeader(
  target: Uint8Array,
  at: number,
  header: { readonly length: number; readonly command: number; readonly status: number },
): void {
  const high = Math.floor(header.length / twoTo32);
  const low = (header.length - high * twoTo32) >>> 0;
  target[at] = (high >>> 24) & 0xff;
  target[at + 1] = (high >>> 16) & 0xff;
  target[at + 2] = (high >>> 8) & 0xff;
  target[at + 3] = high & 0xff;
  target[at + 4] = low >>> 24;
  target[at + 5] = (low >>> 16) & 0xff;
  target[at + 6] = (low >>> 8) & 0xff;
  target[at + 7] = low & 0xff;
  target[at + 8] = header.command;
  target[at + 9] = header.status;
}

/** Body length in bytes as announced; negative where the peer lies. */
export function readLength(source: Uint8Array, at: number): number {
  const high =
    ((source[at] as number) << 24) |
    ((source[at + 1] as number) << 16) |
    ((source[at + 2] as number) << 8) |
    (source[at + 3] as number);
  const low =
    (((source[at + 4] as number) << 24) |
      ((source[at + 5] as number) << 16) |
      ((source[at + 6] as number) << 8) |
      (source[at + 7] as number)) >>>
    0;
  return high * twoTo32 + low;
}
