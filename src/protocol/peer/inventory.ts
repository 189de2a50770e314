/**
 * Our own addition to FastDFS, between storages of Cairn only: what two of them have on one store path is compared by trees of hashes
 * (`filestore/inventory/`), directory by directory where they differ, and mended. Texts are lines as the file store writes them; whoever
 * receives them takes each for what it understands, or leaves it out.
 */
import {
  flag,
  i32,
  list,
  ranged,
  refined,
  restText,
  size,
  struct,
  u8,
  u32,
} from "#protocol/codecs.ts";
import { commands } from "#protocol/commands.ts";
import { groupText, lines, storageId } from "#protocol/fields.ts";
import { message } from "#protocol/message.ts";

/** Sources for which two storages agree about a horizon. */
export const maxInventorySources = 256;
/** Nodes in one answer: all children of one. */
export const maxInventoryNodes = 256;
/** Directories of a store path. */
export const inventoryLeaves = 65_536;
/** Names and slots asked about at a time. */
export const maxInventoryKeys = 1024;
/** Files that one storage asks another to mend at a time. */
export const maxInventoryRepairs = 64;
/** Of a listing. */
export const maxListingBytes = 256 * 1024;
const maxKeyBytes = 255;

const horizons = list(struct({ source: u32, heldUntil: u32 }), { max: maxInventorySources });

/**
 * Begins an inventory of a store path of the asked storage. `source` is that of names (`sourceWordInName`), `heldUntil` what the asker holds
 * of it; the reply says what counts for both. `walk` is 0 while another inventory is under way there, and where the disk is `asleep` and
 * the asker `patient`: then nothing was begun, nor read. `share`: of the thread's time, in percent.
 */
export const inventoryBegin = message({
  name: "inventoryBegin",
  command: commands.inventoryBegin,
  request: struct({
    group: groupText,
    id: storageId,
    storePathIndex: u8,
    share: ranged(u8, 1, 100),
    patient: flag,
    horizons,
  }),
  reply: struct({ walk: u32, asleep: flag, horizons }),
});

/**
 * Nodes of an inventory's tree: of `upper` 0 … 255 the directories in it, of −1 the sums of all of these. None until `leavesDone` is
 * `inventoryLeaves`. Status 2 where there is no such inventory (any more). With `walk` 0, of no inventory: no hashes, and counts that are 0
 * where nothing is there now.
 */
export const inventoryNodes = message({
  name: "inventoryNodes",
  command: commands.inventoryNodes,
  request: struct({
    group: groupText,
    storePathIndex: u8,
    walk: u32,
    upper: ranged(i32, -1, 255),
  }),
  reply: struct({
    leavesDone: ranged(u32, 0, inventoryLeaves),
    files: size,
    nodes: list(struct({ count: u32, low: u32, high: u32 }), { max: maxInventoryNodes }),
  }),
});

/** What one directory holds now, by the horizons of an inventory, behind the key `after`. */
export const inventoryLeaf = message({
  name: "inventoryLeaf",
  command: commands.inventoryLeaf,
  request: struct({
    group: groupText,
    storePathIndex: u8,
    walk: u32,
    leaf: ranged(u32, 0, inventoryLeaves - 1),
    after: restText(0, maxKeyBytes),
  }),
  reply: struct({ more: flag, listing: restText(0, maxListingBytes) }),
});

const keyLines = lines({
  parse: (line) => (line.length > 0 && line.length <= maxKeyBytes ? line : undefined),
  format: (line: string) => line,
});

const boundedKeys = refined(keyLines, {
  what: `at most ${maxInventoryKeys} keys`,
  parse: (keys) => (keys.length <= maxInventoryKeys ? keys : undefined),
  format: (keys) => keys,
});

/** What the binlog of a store path knows of names and slots: one answer for each key. May take as long as reading all of it. */
export const inventorySearch = message({
  name: "inventorySearch",
  command: commands.inventorySearch,
  request: struct({ group: groupText, storePathIndex: u8, keys: boundedKeys }),
  reply: struct({ answers: boundedKeys }),
});

export interface InventoryRepair {
  /** `fetch`: the asker has the file, and the asked storage is to get it; `remove`: it was deleted. */
  readonly action: "fetch" | "remove";
  /** Unix seconds, of the file or of its deletion. */
  readonly timestamp: number;
  readonly name: string;
}

const repairs = refined(
  lines<InventoryRepair>({
    parse: (line) => {
      const [action, timestamp = "", name = "", ...more] = line.split(" ");
      if (action !== "fetch" && action !== "remove") return undefined;
      if (!/^\d{1,10}$/.test(timestamp) || name === "" || more.length > 0) return undefined;
      if (name.length > maxKeyBytes || Number(timestamp) > 0xffffffff) return undefined;
      return { action, timestamp: Number(timestamp), name };
    },
    format: ({ action, timestamp, name }) => `${action} ${timestamp} ${name}`,
  }),
  {
    what: `at most ${maxInventoryRepairs} repairs`,
    parse: (found) => (found.length <= maxInventoryRepairs ? found : undefined),
    format: (found) => found,
  },
);

/** What the asker found to be wrong at the asked storage. The reply has a status for each: 0 done, 17 nothing to do, else what went wrong. */
export const inventoryRepair = message({
  name: "inventoryRepair",
  command: commands.inventoryRepair,
  request: struct({ group: groupText, id: storageId, repairs }),
  reply: struct({ statuses: list(u8, { max: maxInventoryRepairs }) }),
});

export const inventory = {
  inventoryBegin,
  inventoryNodes,
  inventoryLeaf,
  inventorySearch,
  inventoryRepair,
} as const;
