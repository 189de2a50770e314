/** How much of what others say about disks is believed, and for how long anybody is waited for. */
export const probeLimits = {
  maxDisks: 256,
  maxPartitions: 256,
  maxMounts: 4096,
  /** Of a model, a serial, a label: longer ones are cut. */
  maxWordCharacters: 200,
  maxPathCharacters: 4096,
  /** Of one program. */
  maxOutputBytes: 1024 * 1024,
  /** Devices below devices below a disk. */
  maxDepth: 8,
  /** A round waits so long for file systems to tell their space and sensors their temperature. */
  answerMs: 300,
  /** Who has been silent for so long is said to hang. */
  hungMs: 3000,
  /** More threads than this that wait for ever are a reason for another child. */
  maxStuck: 16,
  /** A round waits so long for looks into disks that came: that they are there is told first, what is on them a moment later. */
  lookSoonMs: 100,
  /** Who asks for a new look at what is on the disks waits so long for it. */
  lookWaitMs: 2500,
  /** `lsblk` looks into a device that came, which may have to spin up; nobody waits for it. */
  lookMs: 20_000,
  /** The programs behind packages start a shell or two, on slow machines. */
  packageMs: 30_000,
  /** From the parent's question to the child's answer. */
  roundMs: 5000,
  /** Until a new child says that it is there: a card that is read for the first time is slow. */
  startMs: 30_000,
  /** Between two looks at what the kernel counts, for news that nobody tells. */
  watchMs: 250,
  /** News that come together are told together. */
  gatherMs: 50,
  /** Devices that are looked into at the same time. */
  maxLooks: 8,
  /** The packages are asked again at most so often. */
  packagePauseMs: 60_000,
  maxLineBytes: 4 * 1024 * 1024,
} as const;
