// What the extension Focused Window D-Bus has on the bus, in a shell of GNOME 43 and 44, for which
// that one does not tell of changes.
const {Gio, GLib} = imports.gi;

const IFACE = `<node><interface name="org.gnome.shell.extensions.FocusedWindow">
<method name="Get"><arg type="s" direction="out" name="window"/></method>
<signal name="FocusChanged"><arg type="s" name="window"/></signal>
</interface></node>`;

class Extension {
	Get() {
		const w = global.display.focus_window;
		return w ? JSON.stringify({title: w.title, wm_class: w.get_wm_class(), wm_class_instance: w.get_wm_class_instance(), pid: w.get_pid(), focus: w.has_focus()}) : '{}';
	}

	enable() {
		this.object = Gio.DBusExportedObject.wrapJSObject(IFACE, this);
		this.object.export(Gio.DBus.session, '/org/gnome/shell/extensions/FocusedWindow');
		this.changes = global.display.connect('notify::focus-window', () =>
			this.object.emit_signal('FocusChanged', new GLib.Variant('(s)', [this.Get()])));
	}

	disable() {
		global.display.disconnect(this.changes);
		this.object.unexport();
	}
}

function init() {
	return new Extension();
}
