/**
 * An upload whose content is not on the store path that received it, while other paths of this node may have it: they are asked one
 * after the other, and the first that has it gives it a further name in place of the upload. A path that does not answer soon is not
 * waited for; what it makes afterwards is removed again, since nobody was told of it. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import type { RingRecord } from "#filestore/ring.ts";
import type { StorePathClient } from "#filestore/store-path-client.ts";
import { completionFlag, request } from "#filestore/worker-messages.ts";
import { type Clock, delay } from "#platform/clock.ts";

/** Each of the other paths has this long to answer; an upload that comes to rest where it is costs room, not time. */
export const askLimitMs = 500;

export interface UploadOwner {
  /** Of the path that received it. */
  readonly client: StorePathClient;
  /** Without dot. */
  readonly extension: string;
  /** Paths that may have the content, in the order in which they are asked. */
  readonly others: readonly StorePathClient[];
  readonly clock: Clock;
  readonly log: Log;
}

interface HeldUpload extends UploadOwner {
  readonly last: RingRecord;
}

export interface Settled {
  /** The new logical name. */
  readonly text: string;
  /** False where the content was on one of the paths already. */
  readonly isNew: boolean;
}

/** Fields of the first piece, see `worker-messages.ts`, and what follows the last. */
export interface HowToStore {
  readonly target: number;
  readonly text: string;
  readonly text2?: string;
  readonly offset?: number;
  readonly flags?: number;
  readonly settle?: (last: RingRecord) => Promise<Settled>;
}

/** What became of an upload whose last piece was answered with `last`. Rejects as storing does; then nothing is left. */
export async function settleUpload(last: RingRecord, owner: UploadOwner): Promise<Settled> {
  if ((last.flags & completionFlag.held) === 0) {
    return { text: last.text, isNew: (last.flags & completionFlag.linked) === 0 };
  }
  const held = { ...owner, last };
  for (const other of owner.others) {
    const text = await ask(held, other);
    if (text === "") continue;
    drop(held);
    return { text, isNew: false };
  }
  const stored = await owner.client.send({ kind: request.storeHeld, a: last.c });
  return { text: stored.text, isNew: (stored.flags & completionFlag.linked) === 0 };
}

/** Empty where the path has not got the content, or does not say so. */
async function ask(held: HeldUpload, other: StorePathClient): Promise<string> {
  const { last, extension, clock } = held;
  const ended = new AbortController();
  let late = false;
  const answer = other
    .send({ kind: request.linkContent, text: last.text, text2: extension, a: last.a, b: last.b })
    .then(
      ({ text }) => {
        if (late && text !== "") remove(held, other, text);
        return text;
      },
      (error: unknown) => {
        held.log.debug("content-not-asked-for", { why: describeError(error) });
        return "";
      },
    );
  const limit = delay(clock, askLimitMs, ended.signal).then(
    () => {
      late = true;
      return "";
    },
    () => "",
  );
  try {
    return await Promise.race([answer, limit]);
  } finally {
    ended.abort();
  }
}

function remove(held: HeldUpload, other: StorePathClient, name: string): void {
  other.send({ kind: request.remove, text: name }).catch((error: unknown) => {
    held.log.warn("late-name-left", { name, why: describeError(error) });
  });
}

function drop({ client, last, log }: HeldUpload): void {
  client.send({ kind: request.abort, a: last.c }).catch((error: unknown) => {
    // The path went away, and the upload with it.
    log.debug("held-upload-gone", { why: describeError(error) });
  });
}
