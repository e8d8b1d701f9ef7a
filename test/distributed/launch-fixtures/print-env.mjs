// Prints what a rank finds in its environment and on its command line, as one line of JSON.
console.log(JSON.stringify({ env: process.env, args: process.argv.slice(2), execArgv: process.execArgv }));
