/** What `compare.ts` measures. Steps that read use the ids that an earlier step of the same name of `ids` wrote. */

/** What one step runs; `ids` names the file of ids that it writes or reads. */
export interface Step {
  readonly name: string;
  readonly operation: string;
  readonly size?: string;
  readonly connections: number;
  readonly count: number;
  readonly ids?: string;
  readonly fresh?: boolean;
  /** Uploads made before each round, not measured, for steps that use their files up. */
  readonly consumes?: string;
  /** Only on targets that pack small files, and compared among those; others run on the other targets. */
  readonly packed?: boolean;
  /** Measured by `cairn bench`, because the C generator does not know the operation. */
  readonly ours?: boolean;
}

const up = (name: string, size: string, load: readonly [number, number], ids: string): Step => ({
  ...{ name, operation: "upload", size, ids },
  ...{ connections: load[0], count: load[1] },
});
const read = (
  name: string,
  operation: string,
  load: readonly [number, number],
  ids: string,
): Step => ({ name, operation, ids, connections: load[0], count: load[1] });
const ours = (name: string, operation: string): Step => ({
  ...{ name, operation, size: "4KiB", ours: true },
  ...{ connections: 16, count: 10_000 },
});

const plain: readonly Step[] = [
  up("up4k-1", "4k", [1, 2000], "4k1"),
  up("up4k-16", "4k", [16, 10_000], "4k16"),
  up("up4k-64", "4k", [64, 20_000], "4k"),
  read("down4k-16", "download", [16, 40_000], "4k"),
  read("down4k-64", "download", [64, 40_000], "4k"),
  read("info-16", "info", [16, 40_000], "4k"),
  read("info-64", "info", [64, 40_000], "4k"),
  { ...up("fresh-up4k", "4k", [16, 5000], "fresh"), fresh: true },
  { ...read("fresh-down4k", "download", [16, 10_000], "4k"), fresh: true },
  ours("set-metadata-16", "set-metadata"),
  ours("get-metadata-16", "get-metadata"),
  { ...read("delete4k-16", "delete", [16, 10_000], "del"), consumes: "4k" },
  { ...read("delete4k-64", "delete", [64, 20_000], "del64"), consumes: "4k" },
  up("up64k-16", "64k", [16, 4000], "64k"),
  up("up64k-64", "64k", [64, 4000], "64k64"),
  read("down64k-16", "download", [16, 16_000], "64k"),
  read("down64k-64", "download", [64, 16_000], "64k"),
  up("up1m-16", "1m", [16, 400], "1m"),
  up("up1m-64", "1m", [64, 640], "1m64"),
  read("down1m-16", "download", [16, 2000], "1m"),
  read("down1m-64", "download", [64, 2000], "1m"),
  up("up256m", "256m", [1, 3], "256m"),
  read("down256m", "download", [1, 6], "256m"),
  { name: "query-store", operation: "qstore", connections: 16, count: 60_000 },
  { name: "query-store-64", operation: "qstore", connections: 64, count: 60_000 },
];

const packed: readonly Step[] = [
  up("pk4k-up-16", "4k", [16, 10_000], "pk4k16"),
  up("pk4k-up-64", "4k", [64, 20_000], "pk4k"),
  read("pk4k-down-16", "download", [16, 40_000], "pk4k"),
  read("pk4k-down-64", "download", [64, 40_000], "pk4k"),
  read("pk4k-info-16", "info", [16, 40_000], "pk4k"),
  { ...read("pk4k-delete-16", "delete", [16, 10_000], "pkdel"), consumes: "4k" },
  up("pk64k-up-16", "64k", [16, 4000], "pk64k"),
  read("pk64k-down-16", "download", [16, 16_000], "pk64k"),
].map((step) => ({ ...step, packed: true }));

export const steps: readonly Step[] = [...plain, ...packed];
