/**
 * The helper's life: whoever connects gets a session, a few at a time; when nobody was connected for a while and nothing is under way it
 * ends, since systemd starts it again when it is wanted. Main thread of a process of its own.
 */
import { ignore } from "#base/log.ts";
import { helperLimits } from "#disks/helper-protocol.ts";
import { type HelperParts, HelperSession, helperParts } from "#helper/helper-session.ts";
import type { HelperWorld } from "#helper/helper-world.ts";
import type { Timer } from "#platform/clock.ts";
import type { Connection } from "#platform/network.ts";
import type { ParentLink } from "#platform/parent-link.ts";

/** What was read of disks is forgotten at the end, so that it does not come too soon. */
const idleMs = 120_000;

export class HelperServer {
  readonly #parts: HelperParts;
  readonly #sessions = new Set<HelperSession>();
  readonly #ended = Promise.withResolvers<void>();
  #idleTimer: Timer | undefined;
  #underWay = 0;

  constructor(world: HelperWorld) {
    this.#parts = helperParts(world);
    ignore(this.#parts.protection.settle(), world.log, "the next look does it");
    this.#rest();
  }

  /** Resolves when nobody has wanted anything for a while. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** For each connection that comes. */
  admit(connection: Connection): void {
    if (this.#sessions.size >= helperLimits.maxConnections) {
      connection.destroy();
      return;
    }
    this.#idleTimer?.cancel();
    const session = new HelperSession(
      {
        write: (text) => {
          if (!connection.closed) connection.write(Buffer.from(text));
        },
        get unsentBytes() {
          return connection.unsentBytes;
        },
        end: () => connection.end(),
      },
      this.#parts,
    );
    this.#sessions.add(session);
    connection.onReceive = (bytes) => session.receive(bytes);
    connection.onEnd = () => connection.end();
    connection.onClose = () => this.#left(session);
  }

  #left(session: HelperSession): void {
    session.close();
    this.#sessions.delete(session);
    this.#underWay += 1;
    void session.idle().then(() => {
      this.#underWay -= 1;
      this.#rest();
    });
  }

  #rest(): void {
    if (this.#sessions.size > 0 || this.#underWay > 0) return;
    this.#idleTimer?.cancel();
    this.#idleTimer = this.#parts.world.clock.after(idleMs, () => this.#ended.resolve());
  }
}

/** The helper as a child of the daemon. Resolves when that has gone and what was under way has ended. */
export async function serveParent(world: HelperWorld, parent: ParentLink): Promise<void> {
  const stream = { write: (text: string) => parent.write(text), unsentBytes: 0, end: () => {} };
  const parts = helperParts(world);
  ignore(parts.protection.settle(), world.log, "the next look does it");
  const session = new HelperSession(stream, parts);
  parent.onInput = (bytes) => session.receive(bytes);
  await new Promise<void>((resolve) => {
    parent.onEnd = resolve;
  });
  session.close();
  await session.idle();
}
