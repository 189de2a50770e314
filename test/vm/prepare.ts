/** `npm run vm:packages`: downloads what the virtual machine needs, once. */
import { preparePackages } from "./support/guest-packages.ts";

preparePackages();
