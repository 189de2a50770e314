/** The files of this node as replication uses them: those of clients and those of peers in one. Main thread. */
import type { LocalFileStore } from "#filestore/local-file-store.ts";
import type { SyncStore } from "#sync/push.ts";

export function syncStoreOf(store: LocalFileStore): SyncStore {
  const { replicas } = store;
  return {
    open: (name, range, options) => store.open(name, range, options),
    facts: (name, options) => store.facts(name, options),
    get paths() {
      return store.paths;
    },
    storeReplica: (file, body) => replicas.storeReplica(file, body),
    receiveBatch: (name, lengthBytes) => replicas.receiveBatch(name, lengthBytes),
    readBatch: (name, lines) => replicas.readBatch(name, lines),
    recordReplica: (file) => replicas.recordReplica(file),
    appendReplica: (range, body) => replicas.appendReplica(range, body),
    modifyReplica: (range, body) => replicas.modifyReplica(range, body),
    truncateReplica: (change) => replicas.truncateReplica(change),
    removeReplica: (change) => replicas.removeReplica(change),
    renameReplica: (change) => replicas.renameReplica(change),
    linkReplica: (change) => replicas.linkReplica(change),
    readBinlog: (index, from, maxBytes) => replicas.readBinlog(index, from, maxBytes),
    binlogEnd: (index) => replicas.binlogEnd(index),
    readMark: (index, name) => replicas.readMark(index, name),
    writeMark: (index, name, text) => replicas.writeMark(index, name, text),
    removeMark: (index, name) => replicas.removeMark(index, name),
    nameClock: () => replicas.nameClock(),
  };
}
