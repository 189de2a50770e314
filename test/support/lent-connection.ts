/** A scripted connection whose socket can be lent, and the writer of a thread that it is lent to: both feed the same peer. */
import type { LentDescriptor, SocketLease, SocketWriter } from "#platform/lent-sockets.ts";
import type { FakeEngine } from "./fake-engine.ts";
import type { SocketsOf } from "./in-thread-workers.ts";
import { ScriptedConnection } from "./scripted-connection.ts";

export const lentDescriptor: LentDescriptor = 77;

export class LentConnection extends ScriptedConnection {
  readonly canLend = true;
  /** Times that it was lent and not given back. */
  lent = 0;
  lends = 0;
  brokenOff = false;
  /** How many of so many bytes the socket takes; by default all. */
  takes: (offered: number) => number = (offered) => offered;

  lend(): SocketLease | undefined {
    if (this.closed || this.unsentBytes > 0) return undefined;
    this.lent += 1;
    this.lends += 1;
    return {
      descriptor: lentDescriptor,
      giveBack: () => {
        this.lent -= 1;
      },
      breakOff: () => {
        this.brokenOff = true;
        this.destroy();
      },
    };
  }

  /** For `inThreadWorkers`. */
  readonly sockets: SocketsOf = (engine: FakeEngine, blocks: SharedArrayBuffer): SocketWriter => {
    const take = (socket: LentDescriptor, bytes: Buffer): number => {
      if (socket !== lentDescriptor || this.lent === 0) throw new Error("this socket is not lent");
      if (this.unsentBytes > 0) throw new Error("something else is on its way");
      const count = this.closed ? 0 : this.takes(bytes.length);
      this.sent = Buffer.concat([this.sent, bytes.subarray(0, count)]);
      return count;
    };
    return {
      send: (socket, { offset, length }) => take(socket, Buffer.from(blocks, offset, length)),
      sendFile: (socket, file, { position, length }) => {
        const content = engine.descriptors.get(file);
        if (content === undefined) throw new Error("this file is not open");
        return take(socket, content.subarray(position, position + length));
      },
    };
  };
}
