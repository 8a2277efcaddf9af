import { readdirSync, statSync } from "node:fs";

/** All that `npm run build` reads. */
const INPUTS = ["package.json", "scripts", "grammar", "models/std", "src"];

/**
 * Whether a built file is there and newer than everything that it is built from.
 * @param {string} root the project's folder, with a slash at its end
 * @param {string} built
 * @returns {boolean}
 */
export function isFresh(root, built) {
  const time = timeOf(built);
  return time !== undefined && INPUTS.every((path) => isOlder(root + path, time));
}

/**
 * A file, or a folder with all that is in it.
 * @param {string} path
 * @param {number} time
 * @returns {boolean}
 */
function isOlder(path, time) {
  const stat = statSync(path);
  return stat.mtimeMs < time && (stat.isFile() || readdirSync(path).every((name) => isOlder(`${path}/${name}`, time)));
}

/** @param {string} path */
function timeOf(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
