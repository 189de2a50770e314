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
  /** What it stored is deleted after each round, not measured, for steps that would fill the disk. */
  readonly removes?: boolean;
  /** Only on targets that pack small files, and compared among those; others run on the other targets. */
  readonly packed?: boolean;
  /** Measured by `cairn bench`, because the C generator does not know the operation. */
  readonly ours?: boolean;
}

type Named = Pick<Step, "name" | "ids">;
/** Connections, operations. */
type Load = readonly [number, number];

function read(step: Named, operation: string, [connections, count]: Load): Step {
  return { ...step, operation, connections, count };
}

function up(step: Named & { readonly size: string }, load: Load): Step {
  return read(step, "upload", load);
}

function ours(name: string, operation: string): Step {
  return { name, operation, size: "4KiB", ours: true, connections: 16, count: 10_000 };
}

const plain: readonly Step[] = [
  up({ name: "up4k-1", size: "4k", ids: "4k1" }, [1, 2000]),
  up({ name: "up4k-16", size: "4k", ids: "4k16" }, [16, 10_000]),
  up({ name: "up4k-64", size: "4k", ids: "4k" }, [64, 20_000]),
  read({ name: "down4k-16", ids: "4k" }, "download", [16, 40_000]),
  read({ name: "down4k-64", ids: "4k" }, "download", [64, 40_000]),
  read({ name: "info-16", ids: "4k" }, "info", [16, 40_000]),
  read({ name: "info-64", ids: "4k" }, "info", [64, 40_000]),
  { ...up({ name: "fresh-up4k", size: "4k", ids: "fresh" }, [16, 5000]), fresh: true },
  { ...read({ name: "fresh-down4k", ids: "4k" }, "download", [16, 10_000]), fresh: true },
  { ...up({ name: "fresh-up4k-64", size: "4k", ids: "fresh64" }, [64, 5000]), fresh: true },
  { ...read({ name: "fresh-down4k-64", ids: "4k" }, "download", [64, 10_000]), fresh: true },
  ours("set-metadata-16", "set-metadata"),
  ours("get-metadata-16", "get-metadata"),
  { ...read({ name: "delete4k-16", ids: "del" }, "delete", [16, 10_000]), consumes: "4k" },
  { ...read({ name: "delete4k-64", ids: "del64" }, "delete", [64, 20_000]), consumes: "4k" },
  up({ name: "up64k-16", size: "64k", ids: "64k" }, [16, 4000]),
  up({ name: "up64k-64", size: "64k", ids: "64k64" }, [64, 4000]),
  read({ name: "down64k-16", ids: "64k" }, "download", [16, 16_000]),
  read({ name: "down64k-64", ids: "64k" }, "download", [64, 16_000]),
  up({ name: "up1m-16", size: "1m", ids: "1m" }, [16, 400]),
  up({ name: "up1m-64", size: "1m", ids: "1m64" }, [64, 640]),
  read({ name: "down1m-16", ids: "1m" }, "download", [16, 2000]),
  read({ name: "down1m-64", ids: "1m" }, "download", [64, 2000]),
  up({ name: "up256m", size: "256m", ids: "256m" }, [1, 3]),
  read({ name: "down256m", ids: "256m" }, "download", [1, 6]),
  { ...up({ name: "many256m", size: "256m", ids: "many256m" }, [64, 64]), removes: true },
  read({ name: "down256m-64", ids: "256m" }, "download", [64, 128]),
  { name: "query-store", operation: "qstore", connections: 16, count: 60_000 },
  { name: "query-store-64", operation: "qstore", connections: 64, count: 60_000 },
];

const packed: readonly Step[] = [
  up({ name: "pk4k-up-16", size: "4k", ids: "pk4k16" }, [16, 10_000]),
  up({ name: "pk4k-up-64", size: "4k", ids: "pk4k" }, [64, 20_000]),
  read({ name: "pk4k-down-16", ids: "pk4k" }, "download", [16, 40_000]),
  read({ name: "pk4k-down-64", ids: "pk4k" }, "download", [64, 40_000]),
  read({ name: "pk4k-info-16", ids: "pk4k" }, "info", [16, 40_000]),
  { ...read({ name: "pk4k-delete-16", ids: "pkdel" }, "delete", [16, 10_000]), consumes: "4k" },
  { ...read({ name: "pk4k-delete-64", ids: "pkdel" }, "delete", [64, 20_000]), consumes: "4k" },
  up({ name: "pk64k-up-16", size: "64k", ids: "pk64k" }, [16, 4000]),
  read({ name: "pk64k-down-16", ids: "pk64k" }, "download", [16, 16_000]),
].map((step) => ({ ...step, packed: true }));

export const steps: readonly Step[] = [...plain, ...packed];
