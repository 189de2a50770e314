/** Generated values for the messages of our own (`protocol/peer/`). */
import fc from "fast-check";
import { readWriteMode } from "#model/storage-status.ts";
import {
  anyGroup,
  anyId,
  bool,
  byte,
  changes,
  few,
  filename,
  id,
  name,
  none,
  record,
  type Sides,
  size,
  u32,
} from "./wire-fields.ts";

const diskId = fc.constantFrom("", "00112233445566778899aabbccddeeff");

export const peerWireValues = {
  syncHello: {
    request: record({ group: anyGroup, id, clock: u32 }),
    reply: record({ id: anyId, disk: diskId, held: few(record({ id: anyId, heldUntil: u32 })) }),
  },
  syncBatch: {
    request: record({
      group: anyGroup,
      id,
      heldUntil: u32,
      gaps: u32,
      records: fc.nat(256),
      bytes: fc.nat(1024 * 1024),
      check: u32,
    }),
    reply: record({ statuses: few(byte) }),
  },
  syncFile: {
    request: record({
      filename: name,
      fileSize: size,
      timestamp: u32,
      group: anyGroup,
      id,
      replaces: bool,
      hasCrc32: bool,
      crc32: u32,
      check: u32,
    }),
    reply: none,
  },
  fetchFile: {
    request: record({ group: anyGroup, id: anyId, filename: name }),
    reply: none,
  },
  inventoryBegin: {
    request: record({
      group: anyGroup,
      id,
      storePathIndex: byte,
      share: fc.integer({ min: 1, max: 100 }),
      patient: fc.boolean(),
      horizons: few(record({ source: u32, heldUntil: u32 })),
    }),
    reply: record({
      walk: u32,
      asleep: fc.boolean(),
      horizons: few(record({ source: u32, heldUntil: u32 })),
    }),
  },
  inventoryNodes: {
    request: record({
      group: anyGroup,
      storePathIndex: byte,
      walk: u32,
      upper: fc.integer({ min: -1, max: 255 }),
    }),
    reply: record({
      leavesDone: fc.nat(65_536),
      files: size,
      nodes: few(record({ count: u32, low: u32, high: u32 })),
    }),
  },
  inventoryLeaf: {
    request: record({
      group: anyGroup,
      storePathIndex: byte,
      walk: u32,
      leaf: fc.nat(65_535),
      after: filename(0, 127),
    }),
    reply: record({ more: bool, listing: filename(0, 200) }),
  },
  inventorySearch: {
    request: record({ group: anyGroup, storePathIndex: byte, keys: few(name) }),
    reply: record({ answers: few(name) }),
  },
  inventoryRepair: {
    request: record({
      group: anyGroup,
      id,
      repairs: few(record({ action: fc.constantFrom("fetch", "remove"), timestamp: u32, name })),
    }),
    reply: record({ statuses: few(byte) }),
  },
  fileReceipt: {
    request: record({ group: anyGroup, reads: bool, filename: filename(1, 127) }),
    reply: record({
      fileSize: size,
      modifiedAt: u32,
      crc32: u32,
      crcFrom: fc.constantFrom("none", "name", "record", "read"),
      flushedAt: u32,
      verifiedAt: u32,
      damaged: fc.constantFrom("no", "found", "aside", "lost", "kept"),
      storePathIndex: byte,
      pathId: diskId,
      diskId,
      directory: filename(0, 200),
    }),
  },
  leaseTrunkFiles: {
    request: record({ group: anyGroup, wanted: fc.nat(0x7fffffff) }),
    reply: record({
      mode: fc.constantFrom("off", "leased", "served"),
      first: fc.nat(0x7fffffff),
      count: fc.nat(256),
    }),
  },
  reportHeld: {
    request: record({
      group: anyGroup,
      id: anyId,
      ownClock: u32,
      mode: fc.constantFrom(...Object.values(readWriteMode)),
      entries: few(record({ id: anyId, heldUntil: u32 })),
    }),
    reply: changes,
  },
} satisfies Readonly<Record<string, Sides>>;
