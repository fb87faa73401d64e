import { join } from 'node:path'

/**
 * How our processes are started. A small young generation costs a little more collecting and saves 10 MB of an idle
 * server (measured 2026-11-21: 131 → 119 MB with all modules loaded).
 */
export const nodeFlags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4']

/**
 * Compiled modules are kept under node_modules: half the CPU of the next start (0.95 → 0.50 s) and 20 MB less memory,
 * since no TypeScript is read again (2026-11-21). A value that is set already wins.
 */
export const nodeEnvironment = (root) => ({ NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compiled') })
