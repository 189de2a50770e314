/**
 * Our own addition to FastDFS, between storages and trackers of Cairn only: a storage asks for numbers of trunk files that are its
 * own, so that it packs small files without asking anybody for each. A storage sends it to trackers whose parameters have a line
 * `cairn` (`trackerParameter`), and thereby says that it is one of ours.
 */
import { i32, ranged, refined, struct, u8 } from "#protocol/codecs.ts";
import { commands } from "#protocol/commands.ts";
import { groupText } from "#protocol/fields.ts";
import { message } from "#protocol/message.ts";

/**
 * How a group packs small files. `leased`: all of its storages are ours, and each divides trunk files of its own. `served`: one storage,
 * the trunk server, divides them for all (protocol §4). `off`: not at all.
 */
export type PackingMode = "off" | "leased" | "served";

const modes: readonly PackingMode[] = ["off", "leased", "served"];

/** The key of the line in PARAMETER_REQ by which trackers of ours are told from others. */
export const trackerParameter = "cairn";

/** In one answer. */
export const maxLeasedFiles = 256;

const packingMode = refined(u8, {
  what: "a way to pack",
  parse: (raw) => modes[raw],
  format: (mode) => modes.indexOf(mode),
});

/** Joined: numbers `first` … `first + count − 1` are the asker's for ever; `count` is 0 unless the mode is `leased` and some were wanted. */
export const leaseTrunkFiles = message({
  name: "leaseTrunkFiles",
  command: commands.leaseTrunkFiles,
  request: struct({ group: groupText, wanted: ranged(i32, 0, 0x7fffffff) }),
  reply: struct({
    mode: packingMode,
    first: ranged(i32, 0, 0x7fffffff),
    count: ranged(i32, 0, maxLeasedFiles),
  }),
});

export const trunkLease = { leaseTrunkFiles } as const;
