/** Texts that outlive a process, by name: what need not be measured again. They may be gone at any time. */
export interface AdapterNotes {
  read(key: string): Promise<string | undefined>;
  /** Where nothing can be kept, it is measured again the next time. */
  write(key: string, text: string): Promise<void>;
}

/** In a page what the browser keeps for it, elsewhere files where the system has those that can be made again. */
export function usualNotes(): AdapterNotes {
  return typeof window === "undefined" ? fileNotes() : pageNotes();
}

function pageNotes(): AdapterNotes {
  // A page may be denied it: then asking for it throws.
  const storage = (): Storage | undefined => {
    try {
      return globalThis.localStorage;
    } catch {
      return undefined;
    }
  };
  return {
    read: async (key) => storage()?.getItem(key) ?? undefined,
    write: async (key, text) => {
      try {
        storage()?.setItem(key, text);
      } catch {
        // It is full: notes are no reason to fail.
      }
    },
  };
}

/** Files of a folder, named after the keys. Nothing is kept where there are no files, as in a worker of a page. */
export function fileNotes(folder?: string): AdapterNotes {
  const open = async () => {
    if (typeof process === "undefined" || process.versions?.node === undefined) return undefined;
    const [files, path, os] = await Promise.all([import("node:fs/promises"), import("node:path"), import("node:os")]);
    const own = folder ?? path.join(cacheFolder(process.env, process.platform, os.homedir()), "seqc");
    return { files, own, fileOf: (key: string) => path.join(own, `${encodeURIComponent(key).slice(0, 200)}.json`) };
  };
  return {
    read: async (key) => {
      const opened = await open();
      return opened?.files.readFile(opened.fileOf(key), "utf8").catch(() => undefined);
    },
    write: async (key, text) => {
      const opened = await open();
      if (opened === undefined) return;
      try {
        await opened.files.mkdir(opened.own, { recursive: true });
        await opened.files.writeFile(opened.fileOf(key), text);
      } catch {
        // A folder that cannot be written: notes are no reason to fail.
      }
    },
  };
}

function cacheFolder(env: Readonly<Record<string, string | undefined>>, platform: string, home: string): string {
  if (env.XDG_CACHE_HOME !== undefined && env.XDG_CACHE_HOME !== "") return env.XDG_CACHE_HOME;
  if (platform === "win32" && env.LOCALAPPDATA !== undefined) return env.LOCALAPPDATA;
  return platform === "darwin" ? `${home}/Library/Caches` : `${home}/.cache`;
}
