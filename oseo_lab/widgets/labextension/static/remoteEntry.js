// What JupyterLab and Notebook 7 load: a module-federation container, written by hand. It takes the tokens
// from the modules that the application shares, and leaves the rest to the ES modules beside this file.
(() => {
  "use strict";
  const here = document.currentScript.src;
  let shared = {};

  /** A module that the application shares, its own version where there are several; null where there is none. */
  async function sharedModule(name) {
    const versions = Object.values(shared[name] ?? {});
    const found = versions.find((each) => /CORE/.test(each.from ?? "")) ?? versions[0];
    if (!found) return null;
    const factory = await found.get();
    return factory();
  }

  const container = {
    init(scope) {
      shared = scope;
    },
    async get(module) {
      if (module !== "./extension") throw new Error(`oseo-lab has no module ${module}`);
      const { plugins } = await import(new URL("plugins.js", here).href);
      const found = { __esModule: true, default: await plugins(sharedModule, here) };
      return () => found;
    },
  };
  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB["oseo-lab"] = container;
})();
