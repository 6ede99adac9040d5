// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// downloads [--files N] [--size BYTES]
//
// Fetches many files over the network, several at a time, while the main loop counts its
// ticks. The server is in the program, too: it lives on a loop thread and is asynchronous;
// the downloads block, each on a worker, and say how far they are. If one fails, the
// others are cancelled.
//
//     $ downloads --files 3 --size 100000
//     100000 bytes of file 0
//     100000 bytes of file 1
//     100000 bytes of file 2
//     3 files, 300000 bytes
//
// Exit status: 0; 1 after a problem; 2 if called in a wrong way.

using GLib;
using Concur;

const int MAX_AT_ONCE = 8;
const int BLOCK = 64 * 1024;

// All of it is on the loop's thread, but for the port.
class Server : Object {
	private SocketService service;
	private int size;

	public uint16 port { get; private set; }

	public Server (int size) {
		this.size = size;
	}

	// A service serves in the main context in which it was made.
	public void start () throws Error {
		SocketAddress address;

		service = new SocketService ();
		service.add_address (new InetSocketAddress (new InetAddress.loopback (SocketFamily.IPV4), 0),
		                     SocketType.STREAM, SocketProtocol.TCP, null, out address);
		port = (uint16) ((InetSocketAddress) address).port;
		service.incoming.connect ((connection) => {
			serve.begin (connection);
			return false;
		});
		service.start ();
	}

	// One line asks, the content of the file answers: its number, over and over.
	private async void serve (SocketConnection connection) {
		try {
			string? line = yield new DataInputStream (connection.input_stream).read_line_async ();
			var block = new uint8[BLOCK];
			size_t written = 0;

			Memory.set (block, int.parse (line ?? ""), BLOCK);
			for (int left = size; left > 0; left -= (int) written) {
				block.length = int.min (left, BLOCK);
				yield connection.output_stream.write_all_async (block, Priority.DEFAULT, null, out written);
			}
			yield connection.close_async ();
		} catch (Error e) {
			warning ("A download was not served to its end: %s", e.message);
		}
	}
}

// On a worker. The cancellable of the job ends every blocking call in here.
int download (uint16 port, int number, int size, Job job) throws Error {
	var cancellable = job.get_cancellable ();
	var connection = new SocketClient ().connect_to_host ("127.0.0.1", port, cancellable);
	var buffer = new uint8[BLOCK];
	int n_bytes = 0;

	connection.output_stream.write_all ("%d\n".printf (number).data, null, cancellable);
	for (;;) {
		ssize_t n = connection.input_stream.read (buffer, cancellable);

		if (n == 0)
			return n_bytes;
		for (int i = 0; i < n; i++)
			if (buffer[i] != (uint8) number)
				throw new IOError.INVALID_DATA ("File %d has something else in it", number);
		n_bytes += (int) n;
		job.set_progress ((double) n_bytes / size);
	}
}

async int64 download_all (uint16 port, int n_files, int size) throws Error {
	// Downloads wait most of the time: how many there may be has nothing to do with cores.
	var pool = new ThreadExecutor (MAX_AT_ONCE);
	bool on_terminal = Posix.isatty (Posix.STDERR_FILENO);
	Future[] futures = {};
	int64 n_bytes = 0;

	for (int i = 0; i < n_files; i++) {
		int number = i;
		var future = pool.submit_as<int> ((job) => download (port, number, size, job));
		future.name = "file %d".printf (number);
		futures += future;
	}
	uint timer = Timeout.add (50, () => {
		double progress = 0;

		foreach (var future in futures)
			progress += future.progress / n_files;
		if (on_terminal)
			printerr ("\r%3.0f %%", progress * 100);
		return Source.CONTINUE;
	});

	var all = Future.all (futures);
	try {
		yield all.wait_async ();
	} finally {
		// After an error: the rest is of no use to anybody.
		foreach (var future in futures)
			future.cancel ();
		Source.remove (timer);
		if (on_terminal)
			printerr ("\r\033[K");
	}

	foreach (var future in futures) {
		print ("%d bytes of %s\n", future.value_as<int> (), future.name);
		n_bytes += future.value_as<int> ();
	}
	return n_bytes;
}

int n_files = 20;
int size = 1000000;

const OptionEntry[] OPTIONS = {
	{ "files", 0, 0, OptionArg.INT, ref n_files, "How many files", "N" },
	{ "size", 0, 0, OptionArg.INT, ref size, "Size of each", "BYTES" },
	{}
};

int main (string[] args) {
	int status = 0;

	Intl.setlocale ();
	try {
		var context = new OptionContext ();
		context.add_main_entries (OPTIONS, null);
		context.parse (ref args);
	} catch (OptionError e) {
		printerr ("%s\n", e.message);
		return 2;
	}

	try {
		var thread = new LoopThread ("server");
		var server = new Server (size);
		var loop = new MainLoop ();

		thread.start ();
		thread.call_as<void> ((job) => server.start ());
		download_all.begin (server.port, n_files, size, (object, result) => {
			try {
				print ("%d files, %lld bytes\n", n_files, download_all.end (result));
			} catch (Error e) {
				printerr ("%s\n", e.message);
				status = 1;
			}
			loop.quit ();
		});
		loop.run ();
		thread.stop (5 * TimeSpan.SECOND);
	} catch (Error e) {
		printerr ("%s\n", e.message);
		return 1;
	}
	return status;
}
