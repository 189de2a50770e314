/** Sends a payload behind its header, as a promise. */
import type { ByteSource } from "#net/byte-flow.ts";
import { PayloadSender } from "#net/frame-sender.ts";
import type { Connection } from "#platform/network.ts";

/** Resolves when all was handed to the kernel; rejects when the source fails or the connection is gone. */
export function sendSource(
  connection: Connection,
  source: ByteSource,
  options: { readonly headerCommand: number; readonly progress: () => void },
): Promise<void> {
  return new Promise((sent, failed) => {
    new PayloadSender(connection, source, { ...options, sent, failed }).start();
  });
}
