// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// grep-tree [--max-count N] PATTERN DIR
//
// Prints the lines that match a regular expression, of all text files under a directory,
// as they are found. A worker walks the tree and sends the lines through a channel to the
// main loop. It does not run ahead of it: when the channel is full it waits. After N lines
// nobody wants more, and the worker ends in the middle of the tree. Symbolic links are not
// followed, and a file is taken for text if its beginning has no zero byte.
//
//     $ grep-tree --max-count 1 '^async [a-z0-9]+ \S+ \(' examples
//     examples/vala/downloads.vala:91:async int64 download_all (uint16 port, …
//     1 lines, 31 files searched
//
// Exit status: 0; 1 if something could not be read; 2 if called in a wrong way.

using GLib;
using Concur;

// Enough that the loop finds several lines whenever it looks, and little to search in vain
// when no more are wanted.
const int CAPACITY = 16;

class Search : Object {
	private Regex regex;
	private string root;

	// The worker's, until the channel has come to its end.
	public int n_files { get; private set; }
	public int n_problems { get; private set; }

	public int n_lines { get; private set; }

	public Search (Regex regex, string root) {
		this.regex = regex;
		this.root = root;
	}

	private void search_file (string path, Job job, Channel channel) throws Error {
		var cancellable = job.get_cancellable ();
		var lines = new DataInputStream (File.new_for_path (path).read (cancellable));
		size_t length;

		lines.fill (-1, cancellable);
		foreach (uint8 byte in lines.peek_buffer ())
			if (byte == 0)
				return;

		n_files++;
		string? line = lines.read_line (out length, cancellable);
		for (int number = 1; line != null; number++) {
			if (regex.match_full (line, (ssize_t) length, 0, 0, null))
				channel.send_value_wait<string> ("%s:%d:%s".printf (path, number, line));
			line = lines.read_line (out length, cancellable);
		}
	}

	// The entries go by name, so that the search goes the same way each time.
	private void search_directory (string path, Job job, Channel channel) throws Error {
		var entries = new GenericArray<FileInfo> ();
		var enumerator = File.new_for_path (path).enumerate_children ("standard::name,standard::type",
		                                                              FileQueryInfoFlags.NOFOLLOW_SYMLINKS,
		                                                              job.get_cancellable ());

		for (var info = enumerator.next_file (); info != null; info = enumerator.next_file ())
			entries.add (info);
		enumerator.close ();
		entries.sort ((a, b) => strcmp (a.get_name (), b.get_name ()));

		foreach (unowned FileInfo info in entries) {
			string child = Path.build_filename (path, info.get_name ());

			try {
				if (info.get_file_type () == FileType.DIRECTORY)
					search_directory (child, job, channel);
				else if (info.get_file_type () == FileType.REGULAR)
					search_file (child, job, channel);
			} catch (Error e) {
				// What could not be read is told, and the search goes on.
				if (e is ChannelError.STOPPED || e is IOError.CANCELLED)
					throw e;
				printerr ("%s: %s\n", child, e.message);
				n_problems++;
			}
		}
	}

	public async void print_lines (int max_count) throws Error {
		// The function is called, on a worker, when the first line is asked for.
		var lines = Executor.get_default ().generate ((job, channel) => {
			search_directory (root, job, channel);
			return true;
		}, CAPACITY);

		while (n_lines < max_count) {
			string? line = yield lines.next<string> ();

			if (line == null)
				return;
			// The text of a file need not be in any character set: as it is.
			stdout.printf ("%s\n", line);
			stdout.flush ();
			n_lines++;
		}

		// Nobody wants more: the worker gets to know when it sends.
		lines.stop ();
		try {
			yield lines.dup_completion ().wait_async ();
		} catch (IOError.CANCELLED e) {
			// Now it has ended.
		}
	}
}

int max_count = int.MAX;

const OptionEntry[] OPTIONS = {
	{ "max-count", 'm', 0, OptionArg.INT, ref max_count, "Stop after so many lines", "N" },
	{}
};

int main (string[] args) {
	Regex regex;
	int status = 0;

	Intl.setlocale ();
	try {
		var context = new OptionContext ("PATTERN DIR");
		context.add_main_entries (OPTIONS, null);
		context.parse (ref args);
		if (args.length != 3 || max_count < 1) {
			printerr ("Called in a wrong way, see --help\n");
			return 2;
		}
		regex = new Regex (args[1], RegexCompileFlags.RAW | RegexCompileFlags.OPTIMIZE);
	} catch (Error e) {
		printerr ("%s\n", e.message);
		return 2;
	}

	var loop = new MainLoop ();
	var search = new Search (regex, args[2]);
	search.print_lines.begin (max_count, (object, result) => {
		try {
			search.print_lines.end (result);
			printerr ("%d lines, %d files searched\n", search.n_lines, search.n_files);
			status = search.n_problems > 0 ? 1 : 0;
		} catch (Error e) {
			printerr ("%s: %s\n", args[2], e.message);
			status = 1;
		}
		loop.quit ();
	});
	loop.run ();

	return status;
}
