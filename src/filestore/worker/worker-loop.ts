/**
 * The life of a store-path worker: takes requests off the ring, stages what changes files, commits changes together so that they
 * share their flushes, and answers. Long work is done in bounded steps between requests. Runs on the worker's thread and blocks it in
 * file calls and while there is nothing to do; only while flushes are in flight does it let the event loop run. Touches one disk only.
 */
import { AppError } from "#base/app-error.ts";
import { DirectClaims } from "#filestore/direct-claims.ts";
import type { RingReader, RingRecord, RingWriter } from "#filestore/ring.ts";
import { trunkFactsText } from "#filestore/trunk/trunk-facts.ts";
import { Answers } from "#filestore/worker/answers.ts";
import { CommitQueue, maxBatch } from "#filestore/worker/commit-queue.ts";
import { DirectWriter } from "#filestore/worker/direct-writer.ts";
import type { FileStoreError } from "#filestore/worker/disk-failure.ts";
import type { DiskFileWriter } from "#filestore/worker/disk-file-writer.ts";
import type { FlushSteps } from "#filestore/worker/flush-steps.ts";
import { InventoryRequests, isInventoryRequest } from "#filestore/worker/inventory-requests.ts";
import { LongWork } from "#filestore/worker/long-work.ts";
import { NameLines } from "#filestore/worker/name-lines.ts";
import { type PackingRequestParts, performPacking } from "#filestore/worker/packing-requests.ts";
import { ReadRequests } from "#filestore/worker/read-requests.ts";
import { batchSteps } from "#filestore/worker/replicas/batch-reader.ts";
import { isOfBatch, ReplicaBatches } from "#filestore/worker/replicas/replica-batches.ts";
import {
  performReplica,
  type ReplicaRequestParts,
} from "#filestore/worker/replicas/replica-requests.ts";
import { changesName, contentOf, linkOf, sourceOf } from "#filestore/worker/request-fields.ts";
import { ScrubRequests } from "#filestore/worker/scrub/scrub-requests.ts";
import type { Change, StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { TrunkLogRequests } from "#filestore/worker/trunk-log-requests.ts";
import { abandoned, Uploads } from "#filestore/worker/uploads.ts";
import {
  completionFlag,
  flagMerge,
  isForeground,
  isReplicaRequest,
  isScrubRequest,
  maySkip,
  request,
} from "#filestore/worker-messages.ts";
import type { Clock } from "#platform/clock.ts";
import type { Flusher } from "#platform/flusher.ts";
import type { SocketWriter } from "#platform/lent-sockets.ts";

/** What waits for a name: a request, or an upload with all of its pieces. */
type Waiting = { readonly record: RingRecord } | { readonly upload: number };

export interface WorkerLoopParts {
  readonly engine: StorePathEngine;
  readonly requests: RingReader;
  readonly completions: RingWriter;
  readonly blocks: SharedArrayBuffer;
  readonly flusher: Flusher;
  /** Writes out of `blocks`. Without it no answer goes to its peer directly. */
  readonly sockets?: SocketWriter;
  /** Without it no commit is held back until others share it, and answers wait for their whole batch. */
  readonly clock?: Clock;
  /**
   * Why changes are refused, such as after a failed flush; undefined where they are taken. Asked before a change begins, before a
   * body ends, and before a commit begins. What was committed before is carried out; reads go on.
   */
  readonly refusal?: () => FileStoreError | undefined;
  readonly diskFiles: DiskFileWriter;
  /** The main thread has given this request up. */
  readonly isAbandoned?: (id: number) => boolean;
  /** What a check is to look for, and what it found. */
  readonly checks?: CheckOwner;
}

export interface CheckOwner {
  /** Failed flushes so far that no check has answered for. */
  readonly suspicions: number;
  /** A check that began with so many suspicions found everything in order. Throws where a flush failed since. */
  cleared(suspicions: number): void;
}

export class WorkerLoop {
  readonly #engine: StorePathEngine;
  readonly #requests: RingReader;
  readonly #flusher: Flusher;
  readonly #refusal: () => FileStoreError | undefined;
  readonly #isAbandoned: (id: number) => boolean;
  readonly #checks: CheckOwner;
  readonly #answers: Answers;
  readonly #reads: ReadRequests;
  readonly #uploads: Uploads;
  readonly #commits: CommitQueue;
  readonly #longWork: LongWork;
  readonly #trunkLog: TrunkLogRequests;
  readonly #inventory: InventoryRequests;
  readonly #scrub: ScrubRequests;
  readonly #diskFiles: DiskFileWriter;
  readonly #replicas: ReplicaRequestParts;
  readonly #batches: ReplicaBatches;
  readonly #packing: PackingRequestParts;
  readonly #lines: NameLines<Waiting>;
  /** By itself, not turn by turn. */
  #runs = false;
  /** A turn comes from the event loop. */
  #turnsSoon = false;
  /** Until there is something to do in the background; undefined where nothing is. */
  #restMs: number | undefined;
  #closeId: number | undefined;
  #closed = false;

  constructor(parts: WorkerLoopParts) {
    const { engine, flusher } = parts;
    this.#engine = engine;
    this.#requests = parts.requests;
    this.#flusher = flusher;
    this.#refusal = parts.refusal ?? (() => undefined);
    this.#isAbandoned = parts.isAbandoned ?? (() => false);
    this.#checks = parts.checks ?? { suspicions: 0, cleared: () => {} };
    this.#answers = Answers.of(engine, parts);
    this.#lines = new NameLines((name) => engine.isLocked(name));
    this.#longWork = new LongWork(flusher, () => this.#goOn());
    this.#commits = new CommitQueue({
      commitSteps: (changes) => this.#commitSteps(changes),
      flusher,
      ...(parts.clock === undefined ? {} : { clock: parts.clock }),
      ended: (id, change) => this.#ended(id, change),
      onReady: () => this.#goOn(),
    });
    this.#trunkLog = new TrunkLogRequests({
      binlog: engine.trunkBinlog,
      answers: this.#answers,
      longWork: this.#longWork,
    });
    this.#packing = { engine, answers: this.#answers, longWork: this.#longWork };
    this.#inventory = new InventoryRequests({
      engine,
      answers: this.#answers,
      longWork: this.#longWork,
    });
    this.#scrub = new ScrubRequests({
      ...{ engine, answers: this.#answers, longWork: this.#longWork },
      requireChanges: () => this.#requireChanges(),
    });
    this.#diskFiles = parts.diskFiles;
    this.#replicas = {
      ...{ engine, answers: this.#answers, longWork: this.#longWork },
      requireChanges: () => this.#requireChanges(),
      stage: (id, change) => this.#stage(id, change),
      stageLater: (id, steps) => this.#stageLater(id, steps),
      waits: (name, record) => {
        const isLocked = engine.isLocked(name);
        if (isLocked) this.#lines.wait(name, { record });
        return isLocked;
      },
    };
    this.#batches = new ReplicaBatches({
      ...{ engine, answers: this.#answers, requireChanges: () => this.#requireChanges() },
      isTaken: (name) => this.#lines.isTaken(name),
      stage: (id, change) => this.#stage(id, change),
    });
    const direct = directWriterOf(parts);
    this.#reads = new ReadRequests({
      ...{ engine, answers: this.#answers, longWork: this.#longWork },
      ...(direct === undefined ? {} : { direct }),
    });
    this.#uploads = new Uploads({
      engine,
      answers: this.#answers,
      isTaken: (name) => this.#lines.isTaken(name),
      wait: (name, upload) => this.#lines.wait(name, { upload }),
      requireChanges: () => this.#requireChanges(),
      isAbandoned: this.#isAbandoned,
      flush: (target, ended) =>
        flusher.flush([target], ([error]) => {
          ended(error);
          this.#goOn();
        }),
      stage: (id, change) => this.#stage(id, change),
    });
  }

  /** The store path was closed; there are no further turns. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Serves until the store path is closed. Returns before that while flushes are in flight, and goes on from the event loop. */
  run(): void {
    this.#runs = true;
    this.#requests.stayAwake();
    for (;;) {
      const more = this.turn();
      if (this.#closed) return;
      if (this.#flusher.inFlight > 0) {
        // Nothing but a flush or a request ends waiting there.
        const holdsBack = this.#commits.size > 0 && !this.#commits.isFlushing;
        this.#letFlushesEnd(more || holdsBack);
        return;
      }
      if (!more) this.#requests.sleep(this.sleepMs);
    }
  }

  /** One round; true when there may be more to do at once. */
  turn(): boolean {
    let handled = 0;
    this.#answers.beginBatch();
    while (handled < maxBatch && this.#takesMore()) {
      const record = this.#requests.take();
      if (record === undefined) break;
      this.#handle(record);
      handled += 1;
      this.#answers.wakeWhenSlow();
    }
    if (this.#isCommitReady) {
      this.#answers.wake();
      this.#commits.begin();
      this.#flushEarly();
    }
    this.#longWork.step();
    if (!this.#lines.isEmpty) this.#lines.retry((waiting) => this.#retry(waiting));
    const busy = this.#longWork.isBusy || this.#commits.size > 0 || this.#commits.isFlushing;
    if (this.#closeId !== undefined && !busy) this.#close(this.#closeId);
    this.#answers.wake();
    if (!this.#closed) this.#restMs = this.#restInBackground(handled > 0);
    return handled > 0 || this.#isCommitReady || this.#longWork.isReady || this.#restMs === 0;
  }

  get #isCommitReady(): boolean {
    return this.#commits.size > 0 && !this.#commits.isFlushing && this.#commits.gatherMs === 0;
  }

  /** Until there is something to do though nobody asks; undefined where there is not. */
  get sleepMs(): number | undefined {
    if (this.#commits.size === 0) return this.#restMs;
    return Math.min(this.#commits.gatherMs, this.#restMs ?? Number.POSITIVE_INFINITY);
  }

  /** A path that takes no changes is not changed in the background either. */
  #restInBackground(served: boolean): number | undefined {
    return this.#refusal() === undefined ? this.#engine.background.turn(served) : undefined;
  }

  /** While a commit waits for a flush, whatever comes is staged for the next one: no more than a ring's worth can come. */
  #takesMore(): boolean {
    return this.#commits.isFlushing || this.#commits.size < maxBatch;
  }

  #letFlushesEnd(more: boolean): void {
    if (!more && this.#requests.waitOnce(() => this.#goOn())) return;
    this.#turnsSoon = true;
    this.#flusher.soon(() => {
      this.#turnsSoon = false;
      this.run();
    });
  }

  /** Called from the event loop: requests came, or a flush ended. */
  #goOn(): void {
    if (this.#runs && !this.#turnsSoon && !this.#closed) this.run();
  }

  #handle(record: RingRecord): void {
    if (isForeground(record.kind)) this.#engine.scrub.noteForeground();
    if (maySkip(record.kind) && this.#isAbandoned(record.id)) {
      this.#skip(record);
    } else if (record.kind === request.write) {
      this.#answers.attempt(record.id, () => this.#uploads.write(record));
    } else if (changesName(record.kind) && this.#lines.isTaken(record.text)) {
      this.#lines.wait(record.text, { record });
    } else {
      this.#answers.attempt(record.id, () => this.#perform(record));
    }
  }

  /** Nobody waits for it any more, and it has not begun. */
  #skip(record: RingRecord): void {
    const isUpload = record.kind === request.write || record.kind === request.storeHeld;
    if (isUpload) this.#uploads.drop(record.a);
    this.#answers.fail(record.id, abandoned());
  }

  #retry(waiting: Waiting): void {
    if ("upload" in waiting) {
      this.#uploads.goOn(waiting.upload);
    } else if (this.#isAbandoned(waiting.record.id)) {
      this.#skip(waiting.record);
    } else {
      const { record } = waiting;
      this.#answers.attempt(record.id, () => this.#perform(record));
    }
  }

  #perform(record: RingRecord): void {
    switch (record.kind) {
      case request.abort:
        this.#uploads.abort(record);
        break;
      case request.read:
        this.#reads.read(record);
        break;
      case request.readMore:
        this.#reads.readMore(record);
        break;
      case request.readEnd:
        this.#reads.readEnd(record);
        break;
      case request.facts:
        this.#reads.facts(record);
        break;
      case request.readMetadata:
        this.#reads.readMetadata(record);
        break;
      case request.remove:
      case request.truncate:
      case request.regenerate:
      case request.writeMetadata:
      case request.linkContent:
      case request.link:
        this.#change(record);
        break;
      case request.storeHeld:
        this.#uploads.storeHeld(record);
        break;
      case request.space: {
        const space = this.#engine.space();
        const text = trunkFactsText(this.#engine.trunkFacts);
        const fields = { a: space.totalBytes, b: space.freeBytes, c: space.device, text };
        this.#answers.done(record.id, fields);
        break;
      }
      case request.setSource:
        this.#engine.setSource(sourceOf(record));
        this.#answers.done(record.id);
        break;
      case request.check:
      case request.recheckSettled:
        this.#check(record);
        break;
      case request.close:
        this.#closeId = record.id;
        this.#longWork.dropReading(new AppError("store-closing", "the node is stopping"));
        break;
      case request.setPacking:
      case request.trunkLease:
      case request.trunkGive:
      case request.trunkRebuild:
      case request.slotsInUse:
        performPacking(record, this.#packing);
        break;
      case request.replicaBatch:
        this.#batches.begin(record);
        break;
      case request.readBatch:
        this.#readBatch(record);
        break;
      default:
        this.#performPart(record);
        break;
    }
  }

  /** What has a part of its own. */
  #performPart(record: RingRecord): void {
    if (isReplicaRequest(record.kind)) performReplica(record, this.#replicas);
    else if (isInventoryRequest(record.kind)) this.#inventory.perform(record);
    else if (isScrubRequest(record.kind)) this.#scrub.perform(record);
    else if (record.kind === request.diskFile) this.#diskFiles.perform(record, this.#answers);
    else this.#trunkLog.perform(record);
  }

  #readBatch(record: RingRecord): void {
    const { id } = record;
    const block = this.#answers.view(record.block);
    this.#longWork.start(batchSteps(this.#engine, block, record.blockLength), {
      committed: false,
      done: ({ isIn, length }) => this.#answers.done(id, { text: isIn, length }),
      failed: (error) => this.#answers.fail(id, error),
    });
  }

  #check({ id, kind }: RingRecord): void {
    if (kind === request.recheckSettled) {
      this.#engine.settleRecheck();
      this.#answers.done(id);
      return;
    }
    const { suspicions } = this.#checks;
    this.#longWork.start(this.#engine.check(suspicions > 0), {
      committed: false,
      done: (count) => {
        this.#checks.cleared(suspicions);
        this.#answers.done(id, { a: count });
      },
      failed: (error) => this.#answers.fail(id, error),
    });
  }

  /** What changes a file without a body. */
  #change(record: RingRecord): void {
    const { id } = record;
    this.#requireChanges();
    switch (record.kind) {
      case request.remove:
        this.#stage(id, this.#engine.prepareRemove(record.text));
        break;
      case request.truncate:
        this.#stage(id, this.#engine.prepareTruncate(record.text, record.a));
        break;
      case request.writeMetadata: {
        const mode = (record.flags & flagMerge) === 0 ? "overwrite" : "merge";
        const text = this.#answers.payload(record);
        this.#stage(id, this.#engine.prepareMetadata(record.text, mode, text));
        break;
      }
      case request.linkContent:
        this.#stage(id, this.#engine.prepareContent(contentOf(record), record.text2));
        break;
      case request.link:
        this.#stageLater(id, this.#engine.link(linkOf(record)));
        break;
      default:
        this.#stageLater(id, this.#engine.regenerate(record.text));
        break;
    }
  }

  #stageLater(id: number, steps: Generator<undefined, Change>): void {
    this.#longWork.start(steps, {
      committed: false,
      done: (change) => this.#stage(id, change),
      failed: (error) => this.#answers.fail(id, error),
    });
  }

  #stage(id: number, change: Change | undefined): void {
    if (change === undefined) this.#answers.done(id);
    else this.#commits.add(id, change);
  }

  *#commitSteps(changes: readonly Change[]): FlushSteps<void> {
    const refusal = this.#refusal();
    if (refusal === undefined) yield* this.#engine.commitSteps(changes);
    else this.#engine.refuse(changes, refusal);
  }

  /** Beside the commits to come. */
  #flushEarly(): void {
    const steps = this.#engine.earlyFlush();
    if (steps === undefined) return;
    const nobody = (): void => {};
    this.#longWork.start(steps, { committed: true, done: nobody, failed: nobody });
  }

  #requireChanges(): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
  }

  #ended(id: number, change: Change): void {
    if (isOfBatch(id)) {
      this.#batches.ended(id, change);
      return;
    }
    if (change.error !== undefined) {
      this.#answers.fail(id, change.error);
      return;
    }
    const steps = this.#engine.remainder(change);
    const text = change.result ?? "";
    if (steps === undefined) {
      this.#answers.done(id, { text, flags: change.linked ? completionFlag.linked : 0 });
      return;
    }
    this.#longWork.start(steps, {
      committed: true,
      done: () => this.#answers.done(id, { text }),
      failed: (error) => this.#answers.fail(id, error),
    });
  }

  #close(id: number): void {
    this.#closed = true;
    for (const waiting of this.#lines.takeAll()) {
      if (!("record" in waiting)) continue;
      this.#answers.fail(waiting.record.id, new AppError("store-closing", "the node is stopping"));
    }
    this.#uploads.giveUpAll();
    this.#reads.closeAll();
    this.#inventory.close();
    this.#diskFiles.close();
    this.#answers.attempt(id, () => {
      this.#engine.close();
      this.#answers.done(id);
    });
  }
}

function directWriterOf({ sockets, blocks, requests }: WorkerLoopParts): DirectWriter | undefined {
  if (sockets === undefined) return undefined;
  const claims = new DirectClaims(blocks);
  return new DirectWriter({ sockets, claims, isWanted: () => !requests.isEmpty });
}
