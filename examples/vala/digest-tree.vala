// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// digest-tree DIR
//
// Prints the SHA-256 digest of every regular file under a directory, as sha256sum would,
// with a progress bar. Workers read directories and files; everything else is on the main
// thread, in asynchronous methods, without one lock. A few files are under way at a time,
// so memory stays flat in a large one. Symbolic links are not followed.
//
// Exit status: 0; 1 if something could not be read; 2 if called in a wrong way.

using GLib;
using Concur;

const int LANES = 8;
const int BAR_WIDTH = 30;

// On a worker: it touches nothing but what it was given, and answers with what it found.
void walk (File directory, GenericArray<File> found, Job job) throws Error {
	var entries = directory.enumerate_children ("standard::name,standard::type",
	                                            FileQueryInfoFlags.NOFOLLOW_SYMLINKS,
	                                            job.get_cancellable ());

	for (var info = entries.next_file (); info != null; info = entries.next_file ()) {
		File child = entries.get_child (info);

		if (info.get_file_type () == FileType.DIRECTORY)
			walk (child, found, job);
		else if (info.get_file_type () == FileType.REGULAR)
			found.add (child);
	}
	job.set_status_text ("%d files found".printf (found.length));
}

class Tree : Object {
	private bool on_terminal = Posix.isatty (Posix.STDERR_FILENO);
	private GenericArray<File> files;
	private int next = 0;
	private int n_done = 0;

	public int n_problems { get; private set; }

	private void draw (string text) {
		if (on_terminal)
			printerr ("\r\033[K%s", text);
	}

	private void draw_bar () {
		int width = BAR_WIDTH * n_done / files.length;

		draw ("[%s%s] %d/%d".printf (string.nfill (width, '#'), string.nfill (BAR_WIDTH - width, ' '),
		                             n_done, files.length));
	}

	// One file after another. Several lanes do this at once, all on this thread, so each
	// file is taken by one of them.
	private async void lane () {
		while (next < files.length) {
			File file = files[next++];

			try {
				string digest = yield file_digest (file, ChecksumType.SHA256).result_as<string> ();
				draw ("");
				print ("%s  %s\n", digest, file.get_path ());
			} catch (Error e) {
				draw ("");
				printerr ("%s: %s\n", file.get_parse_name (), e.message);
				n_problems++;
			}
			n_done++;
			draw_bar ();
		}
	}

	public async void digest (File root) throws Error {
		var walking = Executor.get_default ().submit_as<GenericArray<File>> ((job) => {
			var found = new GenericArray<File> ();
			walk (root, found, job);
			return found;
		});
		walking.notify["status-text"].connect (() => draw (walking.status_text));
		files = yield walking.result_as<GenericArray<File>> ();

		int n_lanes = LANES;
		for (int i = 0; i < LANES; i++)
			lane.begin ((object, result) => {
				lane.end (result);
				if (--n_lanes == 0)
					digest.callback ();
			});
		// Lanes with nothing to do have ended already.
		if (n_lanes > 0)
			yield;
		draw ("");
	}
}

int main (string[] args) {
	Intl.setlocale ();
	if (args.length != 2) {
		printerr ("Usage: digest-tree DIR\n");
		return 2;
	}

	var loop = new MainLoop ();
	var tree = new Tree ();
	int status = 0;
	tree.digest.begin (File.new_for_commandline_arg (args[1]), (object, result) => {
		try {
			tree.digest.end (result);
			status = tree.n_problems > 0 ? 1 : 0;
		} catch (Error e) {
			printerr ("%s\n", e.message);
			status = 1;
		}
		loop.quit ();
	});
	loop.run ();

	return status;
}
