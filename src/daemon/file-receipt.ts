/** A receipt in the words of the `files.receipt` operation: what the storages of this node, and their peers, have told. Pure but for asking. */
import type { Receipt, ReceiptCopy } from "#control/operations/files.ts";
import type { HalfName } from "#daemon/storage-halves.ts";
import { splitFileId } from "#model/file-id.ts";
import type { ReceiptEntry, ReceiptQuestion } from "#storage/receipt-part.ts";
import type { RunningStorage } from "#storage/storage-role.ts";

/** Whoever has not answered by then is called silent. */
const deadlineMs = 5000;
/** Where files are read: a large one takes its time. */
const readDeadlineMs = 120_000;

export interface AskedStorage {
  readonly half: HalfName | undefined;
  readonly storage: Pick<RunningStorage, "receipts">;
}

/** Undefined where `id` is none of this group. */
export async function receiptOf(
  storages: readonly AskedStorage[],
  group: string,
  asked: { readonly id: string; readonly reads: boolean },
): Promise<Receipt | undefined> {
  const split = splitFileId(asked.id);
  const [first, ...others] = storages;
  if (first === undefined || split === undefined || split.group !== group) return undefined;
  const limitMs = asked.reads ? readDeadlineMs : deadlineMs;
  const question: ReceiptQuestion = {
    name: split.filename,
    reads: asked.reads,
    deadlineMs: limitMs,
  };
  const entries = await first.storage.receipts.ask(question);
  const copies = entries.map((entry) => copyOf(entry, entry.isOwn ? first.half : undefined));
  // The second half of a mirror is a peer of the first one, and tells by itself where its disk is.
  for (const { half, storage } of others) {
    const [own] = await storage.receipts.ask(question);
    const at = copies.findIndex((copy) => copy.storage === own?.storage);
    if (own !== undefined && at >= 0) copies[at] = copyOf(own, half);
  }
  return { id: asked.id, says: inWords(copies), copies };
}

/** As anybody may see it who may read the file: without the places of store paths. */
export async function publicReceipt(
  storages: readonly AskedStorage[],
  group: string,
  id: string,
): Promise<Receipt | undefined> {
  const found = await receiptOf(storages, group, { id, reads: false });
  if (found === undefined) return undefined;
  const copies = found.copies.map(({ directory: _directory, problem: _problem, ...copy }) => copy);
  return { ...found, copies };
}

function copyOf(entry: ReceiptEntry, half: HalfName | undefined): ReceiptCopy {
  const { storage, isOwn, software, state, copy, problem } = entry;
  const who = { storage, own: isOwn, software, problem, ...(half === undefined ? {} : { half }) };
  if (copy === undefined) return { ...who, state };
  const { storePath, directory, pathId, diskId, sizeBytes, crc32, crcFrom } = copy;
  const { flushedAt, verifiedAt, damaged } = copy;
  return {
    ...who,
    state: damaged === "no" && state === "holds" ? "holds" : "damaged",
    storePath,
    directory: directory || undefined,
    pathId: pathId || undefined,
    diskId: diskId || undefined,
    sizeBytes,
    crc32: crc32?.toString(16).padStart(8, "0"),
    crcFrom: crcFrom === "none" ? undefined : crcFrom,
    flushedAt: flushedAt || undefined,
    verifiedAt: verifiedAt || undefined,
  };
}

/** All of it in a sentence. */
export function inWords(copies: readonly ReceiptCopy[]): string {
  const holders = copies.filter(({ state }) => state === "holds");
  const count = (state: ReceiptCopy["state"]): number =>
    copies.filter((copy) => copy.state === state).length;
  const checked = holders.filter(({ verifiedAt }) => verifiedAt !== undefined).length;
  const different = new Set(holders.map(({ sizeBytes, crc32 }) => `${sizeBytes} ${crc32}`)).size;
  const parts = [
    holders.length === 0
      ? "No storage that answered holds this file"
      : `${holders.length} of ${copies.length} storages hold${holders.length === 1 ? "s" : ""} this file`,
    ...(holders.length === 0 ? [] : [`${checked} of these copies verified since they were made`]),
    ...(different > 1 ? ["THE COPIES ARE NOT THE SAME"] : []),
    ...(count("damaged") > 0 ? [`${count("damaged")} damaged`] : []),
    ...(count("missing") > 0 ? [`${count("missing")} without it`] : []),
    ...(count("silent") > 0 ? [`${count("silent")} did not answer`] : []),
  ];
  return `${parts.join("; ")}.`;
}
