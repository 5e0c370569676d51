// Takes uploads and tells their sizes; what is uploaded lies in a temporary file meanwhile.
const fs = require('fs');
const express = require('express');
const { IncomingForm } = require('formidable');

const app = express();

app.get('/', (request, response) => response.send('ready\n'));

app.post('/', (request, response, next) => {
  new IncomingForm().parse(request, (error, fields, files) => {
    if (error) return next(error);
    const file = [].concat(files.file)[0];
    const path = file.filepath || file.path;
    const size = fs.statSync(path).size;
    fs.unlinkSync(path);
    response.send(`bytes ${size}\n`);
  });
});

app.listen(3000);

// The first process of a container has no default action for it.
process.on('SIGTERM', () => process.exit(0));
