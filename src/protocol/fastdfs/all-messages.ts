/** Every message of FastDFS, and our own additions, for tests and for whoever needs to name what passes by. */
import { common } from "#protocol/fastdfs/common.ts";
import { storageFiles } from "#protocol/fastdfs/storage-files.ts";
import { storageMetadata } from "#protocol/fastdfs/storage-metadata.ts";
import { storageSync } from "#protocol/fastdfs/storage-sync.ts";
import { storageTrunk } from "#protocol/fastdfs/storage-trunk.ts";
import { trackerAdmin } from "#protocol/fastdfs/tracker-admin.ts";
import { trackerCluster } from "#protocol/fastdfs/tracker-cluster.ts";
import { trackerLookups } from "#protocol/fastdfs/tracker-lookups.ts";
import { trackerQueries } from "#protocol/fastdfs/tracker-queries.ts";
import { trackerReports } from "#protocol/fastdfs/tracker-reports.ts";
import { fileReceipts } from "#protocol/peer/file-receipt.ts";
import { inventory } from "#protocol/peer/inventory.ts";
import { replication } from "#protocol/peer/replication.ts";
import { heldReports } from "#protocol/peer/report-held.ts";
import { trunkLease } from "#protocol/peer/trunk-lease.ts";

export const allMessages = {
  ...common,
  ...trackerQueries,
  ...trackerAdmin,
  ...trackerReports,
  ...trackerLookups,
  ...trackerCluster,
  ...storageFiles,
  ...storageMetadata,
  ...storageSync,
  ...storageTrunk,
  ...trunkLease,
  ...heldReports,
  ...replication,
  ...inventory,
  ...fileReceipts,
} as const;
