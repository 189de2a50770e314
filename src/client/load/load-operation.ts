/** The operations that the load generator knows, and what each needs. Pure. */

export const loadOperations = [
  "upload",
  "download",
  "info",
  "set-metadata",
  "get-metadata",
  "delete",
  "query-store",
  "query-fetch",
  "ping",
] as const;
export type LoadOperation = (typeof loadOperations)[number];

export interface OperationFacts {
  /** Who is asked. */
  readonly server: "storage" | "tracker";
  /** What happens to files: made, used, used up, or none needed. */
  readonly files: "makes" | "uses" | "consumes" | "none";
  /** Whether the size of the file is most of the work. */
  readonly movesContent: boolean;
}

export const operationFacts: Readonly<Record<LoadOperation, OperationFacts>> = {
  upload: { server: "storage", files: "makes", movesContent: true },
  download: { server: "storage", files: "uses", movesContent: true },
  info: { server: "storage", files: "uses", movesContent: false },
  "set-metadata": { server: "storage", files: "uses", movesContent: false },
  "get-metadata": { server: "storage", files: "uses", movesContent: false },
  delete: { server: "storage", files: "consumes", movesContent: false },
  "query-store": { server: "tracker", files: "none", movesContent: false },
  "query-fetch": { server: "tracker", files: "uses", movesContent: false },
  ping: { server: "storage", files: "none", movesContent: false },
};

export function isLoadOperation(text: string): text is LoadOperation {
  return loadOperations.some((operation) => operation === text);
}
