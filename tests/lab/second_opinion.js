// Reads [{expression, bindings}] and writes [{value} | {undefined: true} | {error}], as JSONata's reference computes them.
const jsonata = require('jsonata');

async function opinion({ expression, bindings }) {
  try {
    const asked = jsonata(expression);
    // Step Functions' own function, which is not JSONata's.
    asked.registerFunction('parse', (text) => JSON.parse(text), '<s:x>');
    const value = await asked.evaluate(undefined, bindings);
    return value === undefined ? { undefined: true } : { value };
  } catch (error) {
    return { error: error.code || String(error) };
  }
}

let text = '';
process.stdin.on('data', (piece) => (text += piece));
process.stdin.on('end', async () => {
  const asked = JSON.parse(text);
  process.stdout.write(JSON.stringify(await Promise.all(asked.map(opinion))));
});
