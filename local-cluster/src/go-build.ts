import { execFile, spawn } from 'node:child_process'
import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { LocalClusterError } from './local-cluster-error.ts'
import { type Tool, toolSourceFolder } from './tool.ts'

/** Version of the `go` program, such as "1.26.8"; absent when there is none. */
export function goVersion(go = 'go'): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(go, ['env', 'GOVERSION'], (error, stdout) => {
      resolve(error ? undefined : stdout.trim().replace(/^go/, '') || undefined)
    })
  })
}

export interface GoBuild {
  go: string
  tool: Tool
  /** Existing, empty; receives the executables under their final names. */
  folder: string
  /** `percent` counts packages compiled of packages needed; those already in Go's cache are passed over at the end. */
  onProgress(detail: string, percent?: number): void
}

/** Builds a tool's executables. Throws LocalClusterError BuildFailed or GoTooOld with the compiler's last words. */
export async function goBuild({ go, tool, folder, onProgress }: GoBuild): Promise<void> {
  const environment = { ...process.env, CGO_ENABLED: tool.cgo ? '1' : '0', GOWORK: 'off' }
  const cwd = toolSourceFolder(tool.name)
  onProgress(`${tool.version}: fetching modules`)
  let expected = 0
  await run(go, ['list', '-deps', '-f', '{{.ImportPath}}', ...tagsOf(tool), 'tool'], {
    cwd,
    environment,
    tool,
    onOutput: () => expected++,
    onError: (line) => line.startsWith('go: downloading') && onProgress(`${tool.version}: ${line.slice(4)}`),
  })
  let compiled = 0
  onProgress(`${tool.version}: 0 of ${expected} packages`, 0)
  mkdirSync(folder, { recursive: true })
  await run(go, ['build', '-v', '-buildvcs=false', ...tool.buildFlags, '-o', `${folder}/`, 'tool'], {
    cwd,
    environment,
    tool,
    onError: () => {
      compiled++
      onProgress(
        `${tool.version}: ${compiled} of ${expected} packages`,
        Math.min(99, Math.floor((100 * compiled) / expected)),
      )
    },
  })
  for (const [name, built] of Object.entries(tool.builtAs ?? {})) renameSync(join(folder, built), join(folder, name))
}

function tagsOf(tool: Tool): string[] {
  const at = tool.buildFlags.indexOf('-tags')
  return at < 0 ? [] : tool.buildFlags.slice(at, at + 2)
}

interface Run {
  cwd: string
  environment: NodeJS.ProcessEnv
  tool: Tool
  onOutput?(line: string): void
  onError(line: string): void
}

function run(go: string, args: string[], { cwd, environment, tool, onOutput, onError }: Run): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(go, args, { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
    const lastLines: string[] = []
    createInterface({ input: child.stdout }).on('line', (line) => onOutput?.(line))
    createInterface({ input: child.stderr }).on('line', (line) => {
      lastLines.push(line)
      if (lastLines.length > 12) lastLines.shift()
      onError(line)
    })
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(buildFailure(tool, lastLines))))
  })
}

function buildFailure(tool: Tool, lastLines: string[]): LocalClusterError {
  const text = lastLines.join('\n')
  const needed = text.match(/requires go >= (\S+)/)?.[1]
  if (needed) {
    return new LocalClusterError(
      'GoTooOld',
      `Building ${tool.name} ${tool.version} needs Go ${needed}.`,
      `Install Go ${needed} or newer, or allow Go to fetch it with GOTOOLCHAIN=auto.`,
    )
  }
  const header = text.match(/(\S+\.h): No such file/)?.[1] ?? (text.includes('pkg-config') ? 'libseccomp' : undefined)
  return new LocalClusterError(
    text.includes('no space left on device') ? 'DiskFull' : 'BuildFailed',
    `Building ${tool.name} ${tool.version} failed: ${text}`,
    text.includes('no space left on device')
      ? 'Free space for the Go build cache (`go clean -cache` empties it) and start again.'
      : header
        ? `Install the Debian packages gcc and libseccomp-dev (${header} is missing) and start again; what was built is kept.`
        : 'Start again when the module proxy can be reached (GOPROXY names it), or set QUARTERDECK_BINARIES to an archive.',
  )
}
